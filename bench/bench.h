// bench/bench.h - what every benchmark is made of: cases, the device with its operands, and what a case measures.
//
// A case is ours against its peers on the same operands. pair.h times it; report.h prints it.
#pragma once

#include "kernels/device/roofline.h"

#include <functional>
#include <map>
#include <optional>

#include <nlohmann/json.hpp>

namespace bifrons::bench {

using kernels::Arithmetic, kernels::ConstView, kernels::Cost, kernels::DType, kernels::Exec, kernels::View;
using Json = nlohmann::ordered_json;

/// What the command line asked for.
struct Options {
    bool quick = false, json = false, list = false, resume = false;
    std::string device = "auto", filter, precision, method, network, out;
    std::int64_t batch = 0;
    int pairs = 30;
};

/// A df-ud network, by what fixes its shapes.
struct Network {
    std::int64_t resolution = 128, e = 64, ae = 256, d = 64, m = 22;
    std::string text() const { return str(resolution, ",", e, ",", ae, ",", d, ",", m); }
};

/// Elements on the device, once for each set of operands.
struct Buffer {
    std::vector<View> sets;
    View operator[](int set) const { return sets[std::size_t(set)]; }
};

/// The device of one case: its operands and scratch are freed with it.
class Bench {
  public:
    explicit Bench(kernels::Device& device, int sets = 2);
    ~Bench();
    Bench(const Bench&) = delete;

    kernels::Device& device() { return device_; }
    /// How many sets of operands are used in turn so that none is in a cache when its turn comes; `bytes` is one set's.
    void rotate(double bytes);
    int sets() const { return sets_; }
    /// Scratch for operations of this cost, for both sides.
    void reserve(std::size_t bytes);
    Exec exec() const { return {&device_, stream_, workspace_}; }

    /// Drawn from N(0, deviation^2), through a leaky ReLU of 0.1 for activations, and rounded to the type. The same for
    /// the same seed.
    static std::vector<float> normal_values(std::int64_t n, DType dtype, std::uint32_t seed, double deviation = 1,
                                            bool leaky = false);
    Buffer normal(std::int64_t n, DType dtype, std::uint32_t seed, double deviation = 1, bool leaky = false)
    {
        return upload(normal_values(n, dtype, seed, deviation, leaky), dtype);
    }
    /// The same values in every set.
    Buffer upload(const std::vector<float>& values, DType dtype);
    Buffer upload_bytes(const std::vector<std::uint8_t>& values);
    /// Of NaN in float types, so that what is not written shows.
    Buffer poisoned(std::int64_t n, DType dtype);
    std::vector<float> download(ConstView view, std::int64_t n);

  private:
    View allocate(std::int64_t n, DType dtype);

    kernels::Device& device_;
    kernels::Stream stream_;
    kernels::Workspace workspace_ = {};
    std::vector<void*> data_;
    int sets_;
};

/// One side of a pair. It has `run`, or `sample` where it times itself.
struct Side {
    std::string name;
    std::function<void(Exec ex, int set)> run = {}; ///< enqueues one call on a set of operands
    /// Host: it runs on the CPU, even if a GPU is measured. Eager: it has a recording of its own, and is in no other.
    enum class How { recorded, eager, host } how = How::recorded;
    std::function<double()> sample = {}; ///< seconds of one call
    /// After one call on set 0: what is wrong with the result, or empty; and its error in units of what is allowed.
    std::function<std::string(double& error)> check = {};
};

/// What a case measures, its operands made.
struct Work {
    Cost cost = {};
    Arithmetic arithmetic = Arithmetic::f32;
    Side ours = {};
    std::vector<Side> peers = {};         ///< the fastest of them is the pair's other side
    std::vector<std::string> absent = {}; ///< peers that are not installed, each with the reason
};

struct Case {
    std::string family, what; ///< "conv2d_fwd", "dec.res0.conv1"
    Network network;
    std::int64_t batch; ///< 0: of no network
    std::string method, precision;
    std::function<Work(Bench&)> make; ///< throws Error(usage) where the method does not do this shape

    std::string name() const;
};

/// Families add their cases here: add_conv2d() and so on.
struct Grid {
    Options options;
    kernels::Device* device;
    std::vector<Network> networks;
    std::vector<std::int64_t> batches;
    std::vector<std::string> precisions; ///< of operations that have several

    bool on_cpu() const { return device->kind() == kernels::DeviceKind::cpu; }
};
using Cases = std::vector<Case>;

/// What few trainings use, or what is bounded by memory as its neighbours are, is quickly shown on the first network.
inline bool passes_over(const Grid& grid, const Network& network)
{
    return grid.options.quick && network.resolution != grid.networks.front().resolution;
}

void add_conv2d(const Grid& grid, Cases& cases);
void add_conv2d_transpose(const Grid& grid, Cases& cases);
void add_dense(const Grid& grid, Cases& cases);
void add_pointwise(const Grid& grid, Cases& cases);
void add_resample(const Grid& grid, Cases& cases);
void add_losses(const Grid& grid, Cases& cases);
void add_features(const Grid& grid, Cases& cases);
void add_optim(const Grid& grid, Cases& cases);
void add_augment(const Grid& grid, Cases& cases);
void add_color(const Grid& grid, Cases& cases);
void add_poisson(const Grid& grid, Cases& cases);
void add_step(const Grid& grid, Cases& cases);

/// The storage and the arithmetic of a precision by its name: bf16, tf32, f32.
DType storage_of(const std::string& precision);
Arithmetic products_of(const std::string& precision);

} // namespace bifrons::bench
