// data/extract/mesh_landmarks.cpp - the 68 points out of the 468 of MediaPipe's network.
#include "data/extract/face_mesh.h"
#include "data/extract/landmarks.h"
#include "data/warp.h"
#include "kernels/base/error.h"
#include "kernels/device/cpu_device.h"

#include <cmath>
#include <mutex>
#include <numbers>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr auto kSide = double(FaceMesh::kSide);

/// Where MediaPipe's own crop (the box around all points, one and a half times as large) has the five points of faces
/// that look at the camera.
constexpr FivePoints kFiveInCrop = {{{0.375 * kSide, 0.374 * kSide},
                                     {0.625 * kSide, 0.374 * kSide},
                                     {0.5 * kSide, 0.505 * kSide},
                                     {0.4 * kSide, 0.652 * kSide},
                                     {0.6 * kSide, 0.652 * kSide}}};

/// Which points of the mesh each of the 68 lies between; one point stands twice. Brows: between their upper and lower
/// edges; the pairs were chosen by eye and by the distance from dlib's points, so that faces are cut alike.
struct OfMesh {
    int first, second;
};
constexpr std::array<OfMesh, 68> kOfMesh = {{
    {127, 127}, {234, 234}, {93, 132},  {132, 58},  {172, 172}, {136, 136}, {149, 149}, {148, 148}, {152, 152}, // jaw
    {377, 377}, {378, 378}, {365, 365}, {397, 397}, {361, 288}, {323, 361}, {454, 454}, {356, 356},             //
    {70, 46},   {63, 53},   {105, 52},  {66, 65},   {107, 55},                                                  // brows
    {336, 285}, {296, 295}, {334, 282}, {293, 283}, {300, 276},                                                 //
    {168, 168}, {197, 197}, {195, 5},   {4, 4},     {75, 75},   {97, 97},   {2, 2},     {326, 326}, {305, 305}, // nose
    {33, 7},    {160, 159}, {158, 158}, {133, 133}, {153, 153}, {144, 144},                                     // eyes
    {362, 362}, {385, 385}, {387, 386}, {263, 249}, {373, 373}, {380, 380},                                     //
    {61, 61},   {39, 39},   {37, 37},   {0, 0},     {267, 267}, {269, 269}, {291, 291},                         // lips
    {405, 405}, {314, 314}, {17, 17},   {84, 84},   {181, 181},                                                 //
    {78, 78},   {82, 82},   {13, 13},   {312, 312}, {308, 308}, {317, 317}, {14, 14},   {87, 87},               //
}};

/// Turns (degrees) and sizes of the crops whose points are averaged, which takes a third of their jitter away.
struct Crop {
    double turn, scale;
};
constexpr std::array<Crop, 4> kCrops = {{{6, 0.95}, {-6, 1.05}, {-6, 0.95}, {6, 1.05}}};

Landmarks reduced(const FaceMesh::Answer& mesh)
{
    Landmarks points;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const Point &a = mesh.points[std::size_t(kOfMesh[i].first)], &b = mesh.points[std::size_t(kOfMesh[i].second)];
        points[i] = {(a.x + b.x) / 2, (a.y + b.y) / 2};
    }
    return points;
}

/// About the crop's middle.
Affine turned(const Crop& crop)
{
    const double angle = crop.turn * std::numbers::pi / 180, c = crop.scale * std::cos(angle),
                 s = crop.scale * std::sin(angle), middle = (kSide - 1) / 2;
    return {{c, -s, middle * (1 - c + s), s, c, middle * (1 - s - c)}};
}

class MeshLandmarks : public LandmarkModel {
  public:
    explicit MeshLandmarks(const fs::path& file) : file_(file.string())
    {
        give_back(borrow()); // a bad file is told now
    }

    std::optional<double> presence(const Image& grey, const Landmarks& points) const override
    {
        return ask(grey, similarity(five_of(points), kFiveInCrop)).presence;
    }

  private:
    /// One thread's.
    struct Network {
        explicit Network(const SafetensorsFile& file) : mesh(device, file) {}
        kernels::CpuDevice device{1};
        FaceMesh mesh;
    };

    std::unique_ptr<Network> borrow() const
    {
        {
            const std::lock_guard lock(guard_);
            if (!idle_.empty()) {
                std::unique_ptr<Network> network = std::move(idle_.back());
                idle_.pop_back();
                return network;
            }
        }
        return std::make_unique<Network>(file_);
    }

    void give_back(std::unique_ptr<Network> network) const
    {
        const std::lock_guard lock(guard_);
        idle_.push_back(std::move(network));
    }

    FaceMesh::Answer ask(const Image& grey, const Affine& crop_from_frame) const
    {
        const Image crop = warp(grey, crop_from_frame, FaceMesh::kSide, FaceMesh::kSide);
        std::unique_ptr<Network> network = borrow();
        const FaceMesh::Answer answer = network->mesh(crop);
        give_back(std::move(network));
        return answer;
    }

    Landmarks first_estimate(const Image& grey, const Detection& face) const override
    {
        return in_upright_crop(grey, face.points ? *face.points : five_in(face.rect));
    }

    Landmarks in_upright_crop(const Image& grey, const FivePoints& five) const override
    {
        const Affine crop_from_frame = similarity(five, kFiveInCrop);
        return crop_from_frame.inverse()(reduced(ask(grey, crop_from_frame)));
    }

    Landmarks steadied(const Image& grey, const Landmarks& points) const override
    {
        const Affine upright = similarity(five_of(points), kFiveInCrop);
        Landmarks mean = {};
        for (const Crop& crop : kCrops) {
            const Affine crop_from_frame = turned(crop).after(upright);
            const Landmarks found = crop_from_frame.inverse()(reduced(ask(grey, crop_from_frame)));
            for (std::size_t i = 0; i < mean.size(); ++i)
                mean[i] = {mean[i].x + found[i].x / double(kCrops.size()),
                           mean[i].y + found[i].y / double(kCrops.size())};
        }
        return mean;
    }

    SafetensorsFile file_;
    mutable std::mutex guard_;
    mutable std::vector<std::unique_ptr<Network>> idle_;
};

} // namespace

std::shared_ptr<const LandmarkModel> make_mesh_landmarks(const fs::path& model)
{
    return std::make_shared<MeshLandmarks>(model);
}

} // namespace bifrons::data
