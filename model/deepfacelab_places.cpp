#include "model/deepfacelab_places.h"

#include "kernels/base/error.h"
#include "model/patch_strides.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace bifrons::model {

namespace {

/// Where DeepFaceLab keeps the layers that begin with one word here.
struct Layer {
    const char *ours, *theirs; ///< # is a number
    int shift = 0;             ///< of theirs
};

const std::vector<Layer>& layers_of(const std::string& block, const Architecture& arch)
{
    static const std::vector<Layer> encoder = {{"down#", "down1/downs_#/conv1", -1}},
                                    encoder_t = {{"down#", "down#/conv1"},
                                                 {"res#.conv1", "res#/conv1"},
                                                 {"res#.conv2", "res#/conv2"}},
                                    inter = {{"dense#", "dense#"}, {"upscale#", "upscale#/conv1"}},
                                    decoder = {{"up#", "upscale#/conv1"},       {"res#.conv1", "res#/conv1"},
                                               {"res#.conv2", "res#/conv2"},    {"out", "out_conv"},
                                               {"mask_up#", "upscalem#/conv1"}, {"mask_out", "out_convm"}},
                                    patch = {{"in", "in_conv"},
                                             {"down#", "convs_#", -1},
                                             {"centre", "center_out"},
                                             {"bottom", "center_conv"},
                                             {"full", "out_conv"}},
                                    code = {{"down#", "convs_#", -1}, {"out", "out_conv"}};
    if (block == "encoder") return arch.t ? encoder_t : encoder;
    if (block == "discriminator") return patch;
    if (block == "code_discriminator") return code;
    return block.rfind("inter", 0) == 0 ? inter : decoder;
}

std::string with_number(std::string text, int number)
{
    const std::size_t at = text.find('#');
    return at == text.npos ? text : text.replace(at, 1, std::to_string(number));
}

/// Calls move(of theirs, of ours) for the places of all values.
template <class Move>
void for_each_place(std::int64_t rows, std::int64_t columns, const DflPlace& place, const Move& move)
{
    constexpr std::int64_t kRows = 16; // read side by side: a column's values then fill a cache line here
    for (std::int64_t first = 0; first < rows; first += kRows)
        for (std::int64_t k = 0; k < columns; ++k) {
            const std::int64_t column = planar(k, columns, place.columns_pixels);
            for (std::int64_t r = first; r < std::min(rows, first + kRows); ++r)
                move(planar(r, rows, place.rows_pixels) * columns + column, k * rows + r);
        }
}

} // namespace

DflPlaces::DflPlaces(const Architecture& arch, int patch) : arch_(arch), levels_(int(patch_strides(patch).size())) {}

DflPlace DflPlaces::operator()(const Parameters::Entry& e) const
{
    const std::size_t dot = e.name.find('.'), end = e.name.rfind('.');
    const std::string block = e.name.substr(0, dot), layer = e.name.substr(dot + 1, end - dot - 1),
                      value = e.name.substr(end + 1);
    DflPlace place = block == "discriminator"        ? DflPlace{"GAN", "D_src", "GAN_opt"}
                     : block == "code_discriminator" ? DflPlace{block, "dis", "D_code_opt"}
                                                     : DflPlace{block, block, "src_dst_opt"};
    for (const std::string& theirs : layers(block, layer)) place.names.push_back(theirs + "/" + value);
    const std::int64_t seen = arch_.encoder_side(), made = arch_.dense_side();
    if (layer == "dense1" && value == "weight") place.rows_pixels = seen * seen;
    if (layer == "dense2") place.columns_pixels = made * made;
    return place;
}

std::vector<std::string> DflPlaces::layers(const std::string& block, const std::string& layer) const
{
    if (layer == "out3") return {"out_conv1", "out_conv2", "out_conv3"};
    const std::size_t digit = layer.find_first_of("0123456789");
    const int number = digit == layer.npos ? 0 : layer[digit] - '0';
    // The way up is numbered from the deepest.
    if (block == "discriminator" && layer.rfind("up", 0) == 0) return {str("upconvs_", levels_ - number)};
    for (const Layer& l : layers_of(block, arch_))
        if (with_number(l.ours, number) == layer) return {with_number(l.theirs, number + l.shift)};
    throw Error(ErrorKind::bug, str("DeepFaceLab's name of ", block, ".", layer, " is not known"));
}

std::vector<std::int64_t> their_shape(const Shape& ours, std::size_t n)
{
    std::vector<std::int64_t> shape;
    for (int i = 1; i < ours.rank(); ++i) shape.push_back(ours[i]);
    shape.push_back(ours[0] / std::int64_t(n));
    return shape;
}

std::int64_t planar(std::int64_t i, std::int64_t n, std::int64_t pixels)
{
    const std::int64_t channels = n / pixels;
    return pixels == 1 ? i : i % channels * pixels + i / channels;
}

bool from_theirs(const NamedTensor& theirs, const DflPlace& place, float scale, float* ours)
{
    const std::int64_t columns = theirs.shape.back(), rows = theirs.size() / columns;
    bool finite = true;
    for_each_place(rows, columns, place, [&](std::int64_t from, std::int64_t to) {
        float value;
        std::memcpy(&value, static_cast<const char*>(theirs.data) + from * std::int64_t(sizeof value),
                    sizeof value); // it may not be aligned
        finite = finite && std::isfinite(value);
        ours[to] = scale * value;
    });
    return finite;
}

std::vector<float> to_theirs(const float* ours, const std::vector<std::int64_t>& shape, const DflPlace& place,
                             float scale)
{
    const NamedTensor sized{"", DType::f32, shape, nullptr};
    const std::int64_t columns = shape.back(), rows = sized.size() / columns;
    std::vector<float> theirs(std::size_t(sized.size()));
    for_each_place(rows, columns, place,
                   [&](std::int64_t to, std::int64_t from) { theirs[std::size_t(to)] = scale * ours[from]; });
    return theirs;
}

} // namespace bifrons::model
