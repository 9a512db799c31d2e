// data/merge/boundary.cpp - what a cloned face takes from the frame at its edge.
#include "data/merge/boundary.h"

#include <algorithm>
#include <array>

namespace bifrons::data {

namespace {

struct EdgePixel {
    std::int64_t y, x;
    float weight;
    std::array<float, 3> difference;
};

bool touches(const Image& inside, std::int64_t y, std::int64_t x)
{
    return (y > 0 && *inside.at(y - 1, x)) || (y + 1 < inside.H && *inside.at(y + 1, x)) ||
           (x > 0 && *inside.at(y, x - 1)) || (x + 1 < inside.W && *inside.at(y, x + 1));
}

/// h' of one pixel; `trusted`: those with a weight.
std::array<float, 3> steadied(const EdgePixel& b, const std::vector<EdgePixel>& trusted)
{
    if (b.weight == 1) return b.difference;
    float sum = 0;
    std::array<float, 3> mean{};
    for (const EdgePixel& k : trusted) {
        const auto dy = float(b.y - k.y), dx = float(b.x - k.x), squared = dy * dy + dx * dx;
        if (squared == 0) continue; // itself, which has its weight below
        const float near = k.weight / squared;
        sum += near;
        for (std::size_t c = 0; c < 3; ++c) mean[c] += near * k.difference[c];
    }
    for (std::size_t c = 0; c < 3; ++c) {
        const float others = sum > 0 ? mean[c] / sum : 0;
        mean[c] = b.weight * b.difference[c] + (1 - b.weight) * others;
    }
    return mean;
}

/// Lowers the weight of pixels whose difference is far from that of most.
void drop_odd_differences(std::vector<EdgePixel>& edge)
{
    ImageF differences(1, std::int64_t(edge.size()), 3), skin(1, std::int64_t(edge.size()), 1);
    for (std::size_t i = 0; i < edge.size(); ++i) {
        std::copy_n(edge[i].difference.begin(), 3, &differences.pixels[3 * i]);
        skin.pixels[i] = edge[i].weight;
    }
    const ColorCluster most(differences, skin);
    for (EdgePixel& b : edge) b.weight *= most.weight(b.difference.data());
}

} // namespace

void set_boundary(const Image& inside, const ImageF& face, const ImageF& frame, const ColorCluster& face_skin,
                  const ColorCluster& frame_skin, ImageF& values)
{
    std::vector<EdgePixel> edge;
    for (std::int64_t y = 0; y < inside.H; ++y)
        for (std::int64_t x = 0; x < inside.W; ++x) {
            if (*inside.at(y, x) || !touches(inside, y, x)) continue;
            const float *from = face.at(y, x), *to = frame.at(y, x);
            edge.push_back({y,
                            x,
                            face_skin.weight(from) * frame_skin.weight(to),
                            {to[0] - from[0], to[1] - from[1], to[2] - from[2]}});
        }
    drop_odd_differences(edge);
    std::vector<EdgePixel> trusted;
    for (const EdgePixel& b : edge)
        if (b.weight > 0) trusted.push_back(b);
    for (const EdgePixel& b : edge) {
        const std::array<float, 3> difference = steadied(b, trusted);
        for (std::size_t c = 0; c < 3; ++c) values.at(b.y, b.x)[c] = face.at(b.y, b.x)[c] + difference[c];
    }
}

} // namespace bifrons::data
