// data/alignment.cpp - where a face picture is in a frame.
#include "data/alignment.h"

#include "data/mean_landmarks.h"
#include "kernels/base/error.h"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace bifrons::data {

constinit const std::array<Point, 33> kMeanFace = [] {
    std::array<Point, 33> face{};
    std::copy_n(kMeanLandmarks.begin(), 32, face.begin());
    face[32] = kMeanLandmarks[54 - 17];
    return face;
}();

namespace {

struct TypeRow {
    FaceType type;
    const char* name;
    double padding; ///< as DeepFaceLab writes it
    double up;      ///< centre's shift, template units
};
constexpr TypeRow kTypes[] = {{FaceType::half, "half", 0, 0},
                              {FaceType::midfull, "midfull", 0.0675, 0},
                              {FaceType::full, "full", 0.2109375, 0},
                              {FaceType::whole_face, "whole_face", 0.40, 0.07},
                              {FaceType::head, "head", 0.70, 0.50}};

const TypeRow& row_of(FaceType type)
{
    return *std::find_if(std::begin(kTypes), std::end(kTypes), [=](const TypeRow& row) { return row.type == type; });
}

Affine template_from_frame(const Landmarks& p)
{
    std::array<Point, 33> used;
    std::copy(p.begin() + 17, p.begin() + 49, used.begin());
    used[32] = p[54];
    return similarity(used, kMeanFace);
}

/// How much farther the nose is from the right edge of the face than from the left one, template units.
double sideways(const Landmarks& t)
{
    double left = 0, right = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        left += (t[27 + i].x - t[i].x) / 3;
        right += (t[16 - i].x - t[27 + i].x) / 3;
    }
    return right - left;
}

} // namespace

const char* name_of(FaceType type)
{
    return row_of(type).name;
}

bool is_face_type(const std::string& name)
{
    return std::any_of(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& row) { return name == row.name; });
}

FaceType face_type_of(const std::string& name)
{
    for (const TypeRow& row : kTypes)
        if (name == row.name) return row.type;
    throw Error(ErrorKind::usage,
                str("face type \"", name, "\" is unknown; expected half, midfull, full, whole_face or head"));
}

Affine face_from_frame(const Landmarks& in_frame, FaceType type, std::int64_t side)
{
    const TypeRow& row = row_of(type);
    const Affine to_template = template_from_frame(in_frame);
    Point centre = {0.5, 0.5 - row.up};
    if (type == FaceType::head) {
        const double yaw = sideways(to_template(in_frame));
        centre.x += yaw * std::abs(std::tanh(2 * yaw)) / 2;
    }
    const double scale = double(side) / (1 + 2 * std::sqrt(2.0) * row.padding);
    const double middle = double(side) / 2 - 0.5;
    const Affine to_face = {{scale, 0, middle - scale * centre.x, 0, scale, middle - scale * centre.y}};
    return to_face.after(to_template);
}

Pose pose_of(const Landmarks& points)
{
    // Nose tip, chin, outer corners of the eyes, corners of the mouth; x right, y up, z towards the camera.
    constexpr std::array<std::size_t, 6> kIndex = {30, 8, 36, 45, 48, 54};
    const double head[6][3] = {{0, 0, 0},        {0, -330, -65},     {-225, 170, -135},
                               {225, 170, -135}, {-150, -150, -125}, {150, -150, -125}};
    Eigen::Matrix<double, 6, 3> model;
    Eigen::Matrix<double, 6, 2> image;
    for (int i = 0; i < 6; ++i) {
        const Point& p = points[kIndex[std::size_t(i)]];
        model.row(i) << head[i][0], head[i][1], head[i][2];
        image.row(i) << p.x, -p.y;
    }
    model.rowwise() -= model.colwise().mean().eval();
    image.rowwise() -= image.colwise().mean().eval();
    const Eigen::Matrix<double, 3, 2> camera = model.colPivHouseholderQr().solve(image);
    Eigen::Matrix3d rows;
    rows.row(0) = camera.col(0).transpose();
    rows.row(1) = camera.col(1).transpose();
    rows.row(2) = rows.row(0).cross(rows.row(1)) / std::max(1e-12, std::sqrt(rows.row(0).norm() * rows.row(1).norm()));
    const Eigen::JacobiSVD<Eigen::Matrix3d> svd(rows, Eigen::ComputeFullU | Eigen::ComputeFullV);
    const Eigen::Matrix3d turn = svd.matrixU() * svd.matrixV().transpose();
    const Eigen::Vector3d forward = turn.col(2), across = turn.col(0);
    return {std::atan2(forward.y(), std::hypot(forward.x(), forward.z())), std::atan2(forward.x(), forward.z()),
            std::atan2(-across.y(), across.x())};
}

} // namespace bifrons::data
