// bench/peers/library.h - what a vendor's library, as a peer, offers: its plans for one convolution or dense layer.
//
// Each library is a module of its own (peers/cudnn.cpp, peers/cublaslt.cpp) that is loaded when it is first needed, so
// that bifrons-bench starts without any. Not a part of the engine: bench/ alone knows these libraries.
#pragma once

#include "kernels/conv2d/conv2d.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bifrons::bench {

/// A product as conv2d.h defines it, with what its store is to fuse.
struct Product {
    enum class Pass { fwd, dgrad, wgrad };
    Pass pass = Pass::fwd;
    kernels::Conv2dShape s = {};
    kernels::DType dtype = kernels::DType::f32; ///< of the operands
    kernels::DType out = kernels::DType::f32;
    bool tf32 = false;  ///< f32 operands may be multiplied as tf32
    bool brief = false; ///< only the first few plans of the library's heuristics need to be tried

    bool bias = false;               ///< fwd: v + bias
    bool add = false;                ///< v + add
    std::optional<float> slope = {}; ///< fwd: leaky(v); dgrad: leaky'(saved) * v, by the sign of saved
    bool fuses() const { return bias || add || slope; }
};

/// What a plan reads and writes. a, b: fwd x, w; dgrad dy, w; wgrad dy, x.
struct ProductOperands {
    const void *a = nullptr, *b = nullptr;
    void* out = nullptr;
    const void* bias_as_out = nullptr; ///< the bias, stored as the operands and out are
    const void *bias = nullptr, *add = nullptr, *saved = nullptr;
};

/// One way of the library's to compute a product.
class Plan {
  public:
    virtual ~Plan() = default;
    virtual std::string name() const = 0;
    virtual std::size_t workspace_bytes() const = 0;
    /// Enqueues it on a cudaStream_t.
    virtual void run(void* stream, const ProductOperands& operands, void* workspace) = 0;
};

class Library {
  public:
    virtual ~Library() = default;
    virtual std::string version() const = 0;
    /// The plans worth timing, the library's own searches done on these operands. Empty, with reasons, where it has
    /// none.
    virtual std::vector<std::unique_ptr<Plan>> plans(const Product& product, void* stream,
                                                     const ProductOperands& operands, kernels::Workspace workspace,
                                                     std::string& why_none) = 0;
};

/// The module `name` ("cudnn", "cublaslt"); null, with the reason, if it or its library is not installed.
Library* open_library(const std::string& name, std::string& why_not);

} // namespace bifrons::bench

/// What a module exports.
extern "C" bifrons::bench::Library* bifrons_peer_library();
