// data/faceset.cpp - the pictures of a faceset, and what trains of it.
#include "data/faceset.h"

#include "data/hull.h"
#include "data/threads.h"
#include "data/warp.h"
#include "kernels/base/error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

namespace bifrons::data {
namespace fs = std::filesystem;

std::int64_t implausible_faces(const SourceRecord& source)
{
    return std::count_if(source.dropped.begin(), source.dropped.end(),
                         [](const DroppedFace& face) { return face.reason != kLowScore && face.reason != kOtherFace; });
}

std::uint64_t checksum_of(const std::vector<std::uint8_t>& bytes)
{
    return XXH64(bytes.data(), bytes.size(), 0);
}

std::vector<std::uint8_t> stored_file(const Faceset& set, const std::string& file)
{
    return set.read ? set.read(file) : read_file(set.folder / file);
}

Image load_face(const Faceset& set, std::size_t index, bool* changed)
{
    const FaceRecord& face = set.faces.at(index);
    const std::string name = (set.folder / face.file).string();
    const std::vector<std::uint8_t> bytes = stored_file(set, face.file);
    if (changed) *changed = checksum_of(bytes) != face.checksum;
    Image image = decode_image(bytes, name);
    BIFRONS_CHECK(data, image.H == set.side && image.W == set.side, name, ": is ", image.W, "x", image.H, "; expected ",
                  set.side, "x", set.side, ". Remove the picture to take the face out.");
    return image;
}

Image load_mask(const Faceset& set, std::size_t index)
{
    const FaceRecord& face = set.faces.at(index);
    if (face.mask.empty()) return hull_mask(face.in_face, set.side, set.side);
    const std::string name = (set.folder / face.mask).string();
    const Image mask = to_grey(decode_image(stored_file(set, face.mask), name));
    BIFRONS_CHECK(data, mask.H == set.side && mask.W == set.side, name, ": is ", mask.W, "x", mask.H, "; expected ",
                  set.side, "x", set.side, ", as large as the face.");
    return mask;
}

YawGroups group_by_yaw(const Faceset& set, const std::vector<std::size_t>& indices)
{
    constexpr std::size_t kBins = 128;
    constexpr double kLimit = 1.2; // rad
    std::array<std::vector<std::int64_t>, kBins> bins;
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const double place = (set.faces.at(indices[i]).pose.yaw + kLimit) / (2 * kLimit) * double(kBins - 1);
        bins[std::size_t(std::clamp(place, 0.0, double(kBins - 1)))].push_back(std::int64_t(i));
    }
    YawGroups groups;
    for (const auto& bin : bins) {
        if (bin.empty()) continue;
        groups.begins.push_back(std::int64_t(groups.faces.size()));
        groups.faces.insert(groups.faces.end(), bin.begin(), bin.end());
    }
    groups.begins.push_back(std::int64_t(groups.faces.size()));
    return groups;
}

namespace {

/// Closes the gaps in the arrays that damaged pictures left. damage: of each index, empty if there is none. Returns the
/// indices of the others.
std::vector<std::size_t> leave_out_damaged(const Faceset& set, const std::vector<std::size_t>& indices,
                                           const std::vector<std::string>& damage, FaceArrays& arrays)
{
    std::vector<std::size_t> left;
    const auto close_gap = [&](std::vector<std::uint8_t>& all, std::size_t n) {
        const auto size = std::ptrdiff_t(all.size() / indices.size());
        const auto from = all.begin() + std::ptrdiff_t(n) * size;
        if (n != left.size()) std::copy(from, from + size, all.begin() + std::ptrdiff_t(left.size()) * size);
    };
    for (std::size_t n = 0; n < indices.size(); ++n) {
        if (!damage[n].empty()) {
            if (arrays.damaged.empty()) arrays.damage = damage[n];
            arrays.damaged.push_back(set.faces[indices[n]].file);
            continue;
        }
        for (auto* all : {&arrays.images, &arrays.masks, &arrays.eyes_mouth}) close_gap(*all, n);
        left.push_back(indices[n]);
    }
    for (auto* all : {&arrays.images, &arrays.masks, &arrays.eyes_mouth})
        if (!indices.empty()) all->resize(all->size() / indices.size() * left.size());
    arrays.count = std::int64_t(left.size());
    return left;
}

} // namespace

FaceArrays load_faces(const Faceset& set, const std::vector<std::size_t>& indices, FaceType type, std::int64_t side,
                      const FaceWants& wants)
{
    BIFRONS_CHECK(usage, type <= set.type, set.folder.string(), ": holds ", name_of(set.type),
                  " pictures, which do not contain ", name_of(type),
                  ". Train with a smaller face type, or extract again with --face-type ", name_of(type), ".");
    FaceArrays arrays = {.side = side + 2 * wants.margin};
    const std::size_t pixels = std::size_t(arrays.side * arrays.side);
    arrays.images.resize(indices.size() * pixels * 3);
    arrays.masks.resize(indices.size() * pixels);
    if (wants.eyes_mouth) arrays.eyes_mouth.resize(indices.size() * pixels);
    std::vector<std::string> damage(indices.size());
    std::mutex guard;
    std::int64_t done = 0;
    const auto note = [&](const FaceRecord& face, bool changed) {
        const std::lock_guard lock(guard);
        if (changed) arrays.changed.push_back(face.file);
        if (wants.tick) wants.tick(++done);
    };
    const auto load = [&](std::size_t n) {
        const FaceRecord& face = set.faces.at(indices[n]);
        bool changed = false;
        const Image stored = load_face(set, indices[n], &changed);
        Affine wanted = face_from_frame(face.in_frame, type, side);
        wanted.m[2] += double(wants.margin);
        wanted.m[5] += double(wants.margin);
        const Affine from_stored = wanted.after(face.matrix.inverse());
        const Image image = warp(stored, from_stored, arrays.side, arrays.side);
        const Landmarks points = wanted(face.in_frame);
        const auto store = [&](const Image& picture, std::vector<std::uint8_t>& all) {
            std::copy(picture.pixels.begin(), picture.pixels.end(),
                      all.begin() + std::ptrdiff_t(n * picture.pixels.size()));
        };
        store(image, arrays.images);
        store(face.mask.empty() ? hull_mask(points, arrays.side, arrays.side)
                                : warp(load_mask(set, indices[n]), from_stored, arrays.side, arrays.side),
              arrays.masks);
        if (wants.eyes_mouth) store(eyes_mouth_mask(points, side, arrays.side, arrays.side), arrays.eyes_mouth);
        return changed;
    };
    for_each_on_threads(std::int64_t(indices.size()), machine_threads(), [&](std::int64_t i, int) {
        bool changed = false;
        try {
            changed = load(std::size_t(i));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::data) throw;
            damage[std::size_t(i)] = error.what();
        }
        note(set.faces[indices[std::size_t(i)]], changed);
    });
    std::sort(arrays.changed.begin(), arrays.changed.end());
    const std::vector<std::size_t> left = leave_out_damaged(set, indices, damage, arrays);
    if (wants.yaw) arrays.yaw = group_by_yaw(set, left);
    return arrays;
}

Split split_faces(const Faceset& set, double share)
{
    std::vector<std::vector<std::size_t>> by_source(set.sources.size());
    for (std::size_t i = 0; i < set.faces.size(); ++i) by_source[std::size_t(set.faces[i].source)].push_back(i);
    Split split;
    for (std::vector<std::size_t>& own : by_source) {
        std::stable_sort(own.begin(), own.end(),
                         [&](std::size_t a, std::size_t b) { return set.faces[a].frame < set.faces[b].frame; });
        const double n = double(own.size());
        const auto held = std::size_t(share > 0 && n * share >= 2 ? n * share : 0);
        const std::size_t begin = (own.size() - held) / 2;
        for (std::size_t i = 0; i < own.size(); ++i)
            (i >= begin && i < begin + held ? split.validation : split.train).push_back(own[i]);
    }
    return split;
}

} // namespace bifrons::data
