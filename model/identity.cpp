#include "model/identity.h"

#include <algorithm>
#include <cmath>

namespace bifrons::model {

namespace {

constexpr std::int64_t kBatch = 4, kLength = std::tuple_size_v<IdentityNetwork::Descriptor>;
constexpr float kMean[3] = {122.782f, 117.001f, 104.298f}; // red, green, blue, levels
constexpr kernels::Activation kRelu{kernels::Act::relu};

struct BlockRow {
    const char* name;
    std::int64_t C, K;
    bool halves;
};
constexpr BlockRow kBlocks[] = {
    {"conv32_1", 32, 32, false},    {"conv32_2", 32, 32, false},         {"conv32_3", 32, 32, false},
    {"conv64_down", 32, 64, true},  {"conv64_1", 64, 64, false},         {"conv64_2", 64, 64, false},
    {"conv64_3", 64, 64, false},    {"conv128_down", 64, 128, true},     {"conv128_1", 128, 128, false},
    {"conv128_2", 128, 128, false}, {"conv256_down", 128, 256, true},    {"conv256_1", 256, 256, false},
    {"conv256_2", 256, 256, false}, {"conv256_down_out", 256, 256, true}};

/// Reads one file's tensors and carries them to the device.
class Reader {
  public:
    Reader(const SafetensorsFile& file, kernels::Device& device, Memory& memory)
        : file_(file), ex_{&device, {}, {}}, memory_(memory)
    {
    }

    Tensor upload(const Shape& shape, const std::vector<float>& values) const
    {
        const Tensor tensor = Tensor::empty(shape, DType::f32, memory_);
        tensor.upload(ex_, values);
        return tensor;
    }

    std::vector<float> values(const std::string& name, const std::vector<std::int64_t>& shape) const
    {
        const auto& all = file_.tensors();
        const auto found = std::find_if(all.begin(), all.end(), [&](const NamedTensor& t) { return t.name == name; });
        BIFRONS_CHECK(data, found != all.end() && found->shape == shape, file_.path(), ": ",
                      found == all.end() ? "has no tensor \"" : "has another shape of \"", name,
                      "\"; expected dlib's face-recognition network, see docs/trainer.md");
        return float_values(*found);
    }

    /// Filters and bias of scale * (conv(x) + bias) + offset.
    IdentityNetwork::Conv conv(const std::string& name, std::int64_t side, std::int64_t C, std::int64_t K,
                               bool halves) const
    {
        const std::vector<float> filters = values(name + ".conv.filters", {side, side, C, K}),
                                 bias = values(name + ".conv.bias", {K}), scale = values(name + ".scale.weights", {K}),
                                 offset = values(name + ".scale.biases", {K});
        const auto taps = std::size_t(side * side * C), count = std::size_t(K);
        std::vector<float> weight(filters.size()), shift(count);
        for (std::size_t k = 0; k < count; ++k) {
            for (std::size_t i = 0; i < taps; ++i) weight[k * taps + i] = scale[k] * filters[i * count + k];
            shift[k] = scale[k] * bias[k] + offset[k];
        }
        return {upload({K, side, side, C}, weight), upload({K}, shift), halves};
    }

    Tensor transposed(const std::string& name, std::int64_t C, std::int64_t K) const
    {
        const std::vector<float> from = values(name, {C, K});
        std::vector<float> to(from.size());
        for (std::int64_t k = 0; k < K; ++k)
            for (std::int64_t c = 0; c < C; ++c) to[std::size_t(k * C + c)] = from[std::size_t(c * K + k)];
        return upload({K, C}, to);
    }

  private:
    const SafetensorsFile& file_;
    kernels::Exec ex_;
    Memory& memory_;
};

/// BGR 0..1 -> what the network was trained on: (RGB levels - mean) / 256.
void normalise(const float* bgr, std::int64_t pixels, float* to)
{
    for (std::int64_t i = 0; i < pixels; ++i)
        for (int c = 0; c < 3; ++c) to[3 * i + c] = (255 * bgr[3 * i + 2 - c] - kMean[c]) / 256;
}

Var conv(Tape& tape, const Var& x, const IdentityNetwork::Conv& conv, kernels::Activation act, const Var& add = {})
{
    const std::int64_t side = conv.weight.shape()[1];
    return conv2d(tape, x, Var(conv.weight),
                  {.bias = Var(conv.bias),
                   .stride = conv.halves ? 2 : 1,
                   .pad = conv.halves ? 0 : side / 2,
                   .add = add,
                   .act = act});
}

Tensor zeros(Tape& tape, const Shape& shape)
{
    const Tensor tensor = tape.empty(shape, DType::f32);
    tape.exec().device->fill(tape.exec().stream, tensor.view().data, 0, tensor.bytes());
    return tensor;
}

Var with_channels(Tape& tape, const Var& x, std::int64_t channels)
{
    const Shape& s = x.shape();
    return s[3] == channels ? x : concat_channels(tape, x, Var(zeros(tape, {s[0], s[1], s[2], channels - s[3]})));
}

/// Zero rows below and zero columns on the right.
Var with_side(Tape& tape, const Var& x, std::int64_t side)
{
    const Shape& s = x.shape();
    const Tensor y = zeros(tape, {s[0], side, side, s[3]});
    const kernels::Exec ex = tape.exec();
    const std::int64_t row = s[2] * s[3];
    for (std::int64_t n = 0; n < s[0]; ++n)
        for (std::int64_t h = 0; h < s[1]; ++h)
            ex.device->copy(ex.stream, static_cast<float*>(y.view().data) + (n * side + h) * side * s[3],
                            static_cast<const float*>(x.view().data) + (n * s[1] + h) * row,
                            std::size_t(row) * sizeof(float));
    return Var(y);
}

Var residual(Tape& tape, const Var& x, const IdentityNetwork::Block& block)
{
    const Var inner = conv(tape, x, block.first, kRelu);
    if (!block.first.halves) return conv(tape, inner, block.second, kRelu, x);
    const Var past = with_channels(tape, avg_pool(tape, x, 2, 2), block.second.weight.shape()[0]);
    const std::int64_t side = past.shape()[1];
    if (inner.shape()[1] == side) return conv(tape, inner, block.second, kRelu, past);
    return pointwise(tape, with_side(tape, conv(tape, inner, block.second, {}), side), {.add = past, .act = kRelu});
}

} // namespace

IdentityNetwork::IdentityNetwork(kernels::Device& device, const SafetensorsFile& file)
    : device_(device), pool_(device), input_(Tensor::empty({kBatch, kSide, kSide, 3}, DType::f32, pool_)),
      output_(Tensor::empty({kBatch, kLength}, DType::f32, pool_)),
      step_(device, {}, [this](kernels::Exec ex, Memory& memory) { forward(ex, memory); })
{
    const Reader reader(file, device, pool_);
    stem_ = reader.conv("conv32_down", 7, 3, 32, true);
    for (const BlockRow& row : kBlocks) {
        const std::string name = row.name;
        blocks_.push_back({reader.conv(name + ".conv1", 3, row.C, row.K, row.halves),
                           reader.conv(name + ".conv2", 3, row.K, row.K, false)});
    }
    dense_ = reader.transposed("fc", 256, kLength);
}

std::vector<IdentityNetwork::Descriptor> IdentityNetwork::operator()(const std::vector<float>& chips)
{
    constexpr std::int64_t kPixels = kSide * kSide;
    const kernels::Exec ex{&device_, {}, {}};
    const auto count = std::int64_t(chips.size()) / (kPixels * 3);
    std::vector<Descriptor> all(static_cast<std::size_t>(count));
    for (std::int64_t first = 0; first < count; first += kBatch) {
        const std::int64_t here = std::min(kBatch, count - first);
        std::vector<float> batch(std::size_t(input_.size()));
        normalise(chips.data() + first * kPixels * 3, here * kPixels, batch.data());
        input_.upload(ex, batch);
        step_.run();
        const std::vector<float> values = output_.download(ex);
        for (std::int64_t i = 0; i < here; ++i)
            std::copy_n(values.begin() + i * kLength, kLength, all[std::size_t(first + i)].begin());
    }
    return all;
}

void IdentityNetwork::forward(kernels::Exec ex, Memory& memory) const
{
    Tape tape(ex, memory, false);
    Var x = max_pool(tape, conv(tape, Var(input_), stem_, kRelu), 3, 2);
    for (const Block& block : blocks_) x = residual(tape, x, block);
    const Var means = avg_pool(tape, x, int(x.shape()[1]), 1);
    const Var y = dense(tape, reshape(tape, means, {x.shape()[0], x.shape()[3]}), Var(dense_));
    ex.device->copy(ex.stream, output_.view().data, y.view().data, output_.bytes());
}

double distance(const IdentityNetwork::Descriptor& a, const IdentityNetwork::Descriptor& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
    return std::sqrt(sum);
}

IdentityNetwork::Descriptor mean(const std::vector<IdentityNetwork::Descriptor>& descriptors)
{
    IdentityNetwork::Descriptor mean = {};
    for (const IdentityNetwork::Descriptor& d : descriptors)
        for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += d[i] / float(descriptors.size());
    return mean;
}

} // namespace bifrons::model
