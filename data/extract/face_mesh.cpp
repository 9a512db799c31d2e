// data/extract/face_mesh.cpp - MediaPipe's network of a face's surface.
#include "data/extract/face_mesh.h"

#include "kernels/base/error.h"

#include <algorithm>

namespace bifrons::data {

namespace {

constexpr std::int64_t kPadded = FaceMesh::kSide + 1; ///< the last row and column are zeros: see the header on padding
constexpr std::int64_t kValues = 3 * std::int64_t(FaceMesh::kPoints);
constexpr std::int64_t kNarrow = 32; ///< channels at the ends

/// Names in the file are numbered: "conv2d", "conv2d_1", ...
std::string numbered(const char* name, int number)
{
    return number == 0 ? name : str(name, "_", number);
}

/// Reads the file's tensors and carries them to the device.
class Reader {
  public:
    Reader(const SafetensorsFile& file, kernels::Device& device, Memory& memory)
        : file_(file), ex_{&device, {}, {}}, memory_(memory)
    {
    }

    /// A tensor of this shape in the file, which has `as` on the device.
    Tensor tensor(const std::string& name, const std::vector<std::int64_t>& shape, const Shape& as) const
    {
        const auto& all = file_.tensors();
        const auto found = std::find_if(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == name; });
        BIFRONS_CHECK(data, found != all.end() && found->shape == shape, file_.path(), ": ",
                      found == all.end() ? "has no tensor \"" : "has another shape of \"", name,
                      "\"; expected MediaPipe's ", face_mesh_file(), ". `bifrons models get facemesh` fetches it.");
        const Tensor tensor = Tensor::empty(as, DType::f32, memory_);
        tensor.upload(ex_, float_values(*found));
        return tensor;
    }

    FaceMesh::Conv conv(int number, std::int64_t C, std::int64_t K, std::int64_t side) const
    {
        const std::string name = numbered("conv2d", number);
        return {tensor(name + "/Kernel", {K, side, side, C}, {K, side, side, C}), tensor(name + "/Bias", {K}, {K})};
    }

    Tensor slope(int number, std::int64_t C) const
    {
        return tensor(numbered("p_re_lu", number) + "/Alpha", {1, 1, C}, {C});
    }

    /// number: of its depthwise convolution; behind: how much further the others are numbered.
    FaceMesh::Block block(int number, std::int64_t C, std::int64_t K, bool halves, int conv_behind = 1,
                          int slope_behind = 1) const
    {
        const std::string name = numbered("depthwise_conv2d", number);
        return {.depthwise = {tensor(name + "/Kernel", {1, 3, 3, C}, {3, 3, C}), tensor(name + "/Bias", {C}, {C})},
                .pointwise = conv(number + conv_behind, C, K, 1),
                .slope = slope(number + slope_behind, K),
                .halves = halves};
    }

  private:
    const SafetensorsFile& file_;
    kernels::Exec ex_;
    Memory& memory_;
};

Var run(Tape& tape, const Var& x, const FaceMesh::Block& block)
{
    const Var inner = depthwise(tape, x, block.depthwise.weight, block.depthwise.bias, block.halves ? 2 : 1);
    const Var y = conv2d(tape, inner, Var(block.pointwise.weight), {.bias = Var(block.pointwise.bias)});
    return prelu(tape, y, block.slope, block.halves ? max_pool(tape, x, 2, 2) : x);
}

Var run(Tape& tape, Var x, const FaceMesh::Conv& conv, const Tensor& slope, std::int64_t stride = 1)
{
    x = conv2d(tape, x, Var(conv.weight), {.bias = Var(conv.bias), .stride = stride});
    return slope ? prelu(tape, x, slope) : x;
}

} // namespace

const char* face_mesh_file()
{
    return "face_landmark.safetensors";
}

FaceMesh::FaceMesh(kernels::Device& device, const SafetensorsFile& file)
    : device_(device), pool_(device), input_(Tensor::empty({1, kPadded, kPadded, 3}, DType::f32, pool_)),
      points_out_(Tensor::empty({kValues}, DType::f32, pool_)), face_out_(Tensor::empty({1}, DType::f32, pool_)),
      step_(device, {}, [this](kernels::Exec ex, Memory& memory) { forward(ex, memory); })
{
    const Reader read(file, device, pool_);
    stem_ = read.conv(0, 3, 16, 3);
    stem_slope_ = read.slope(0, 16);
    int number = 0;
    std::int64_t channels = 16;
    for (const std::int64_t wider : {16, 32, 64, 128, 128}) {
        if (number > 0) trunk_.push_back(read.block(number++, channels, wider, true));
        channels = wider;
        for (int i = 0; i < 2; ++i) trunk_.push_back(read.block(number++, channels, channels, false));
    }
    points_.push_back(read.block(number++, channels, channels, true));
    for (int i = 0; i < 2; ++i) points_.push_back(read.block(number++, channels, channels, false));
    points_narrow_ = read.conv(18, channels, kNarrow, 1);
    points_slope_ = read.slope(18, kNarrow);
    points_.push_back(read.block(17, kNarrow, kNarrow, false, 2, 2));
    points_end_ = read.conv(20, kNarrow, kValues, 3);
    face_.push_back(read.block(22, channels, channels, true, 5, 3));
    face_narrow_ = read.conv(28, channels, kNarrow, 1);
    face_slope_ = read.slope(26, kNarrow);
    face_.push_back(read.block(23, kNarrow, kNarrow, false, 6, 4));
    face_end_ = read.conv(30, kNarrow, 1, 3);
}

void FaceMesh::forward(kernels::Exec ex, Memory& memory) const
{
    Tape tape(ex, memory, false);
    Var x = run(tape, Var(input_), stem_, stem_slope_, 2);
    for (const Block& block : trunk_) x = run(tape, x, block);
    const auto head = [&](const std::vector<Block>& blocks, const Conv& narrow, const Tensor& slope, const Conv& end,
                          const Tensor& out) {
        Var y = x;
        for (std::size_t i = 0; i + 1 < blocks.size(); ++i) y = run(tape, y, blocks[i]);
        y = run(tape, run(tape, y, narrow, slope), blocks.back());
        y = run(tape, y, end, {});
        ex.device->copy(ex.stream, out.view().data, y.view().data, out.bytes());
    };
    head(points_, points_narrow_, points_slope_, points_end_, points_out_);
    head(face_, face_narrow_, face_slope_, face_end_, face_out_);
}

FaceMesh::Answer FaceMesh::operator()(const Image& crop)
{
    BIFRONS_CHECK(shape, crop.H == kSide && crop.W == kSide, "face mesh: the crop has ", crop.W, "x", crop.H,
                  " px; expected ", kSide, "x", kSide);
    const kernels::Exec ex{&device_, {}, {}};
    std::vector<float> rgb(std::size_t(input_.size()));
    for (std::int64_t y = 0; y < kSide; ++y)
        for (std::int64_t x = 0; x < kSide; ++x)
            for (int c = 0; c < 3; ++c)
                rgb[std::size_t((y * kPadded + x) * 3 + c)] = float(crop.at(y, x)[crop.C == 3 ? 2 - c : 0]) / 255;
    input_.upload(ex, rgb);
    step_.run();
    const std::vector<float> values = points_out_.download(ex);
    Answer answer = {.presence = face_out_.download(ex)[0]};
    for (std::size_t i = 0; i < kPoints; ++i) answer.points[i] = {values[3 * i], values[3 * i + 1]};
    return answer;
}

} // namespace bifrons::data
