#include "bench/product.h"

#include "bench/product_gate.h"
#include "kernels/device/plan_device.h"
#include "kernels/pointwise/epilogue.h"

#include <algorithm>
#include <cmath>

namespace bifrons::bench {

namespace {

using kernels::Conv2dShape;
using kernels::Epilogue;
using kernels::Store;
using Pass = Product::Pass;

/// What a library may use besides: more is not worth it.
constexpr std::size_t kMostLibraryBytes = std::size_t(2) << 30;

/// Channels last, padded with zeros from `channels` to `padded`.
std::vector<float> padded_rows(const std::vector<float>& values, std::int64_t channels, std::int64_t padded)
{
    if (channels == padded || values.empty()) return values;
    const std::size_t rows = values.size() / std::size_t(channels);
    std::vector<float> wide(rows * std::size_t(padded), 0.0f);
    for (std::size_t row = 0; row < rows; ++row)
        std::copy_n(values.begin() + std::ptrdiff_t(row * std::size_t(channels)), channels,
                    wide.begin() + std::ptrdiff_t(row * std::size_t(padded)));
    return wide;
}

std::int64_t round_up(std::int64_t n)
{
    return (n + 7) / 8 * 8;
}

Conv2dShape padded_shape(Conv2dShape s)
{
    s.C = round_up(s.C), s.K = round_up(s.K);
    return s;
}

/// The values of a product's operands at the layer's own channel counts.
struct Values {
    std::vector<float> x, w, dy, bias, add, saved;
};

/// One side's operands on the device, at the shape s. They outlive the case's sides in shared_ptrs.
struct Operands {
    Conv2dShape s; ///< channels perhaps padded
    Buffer x, w, dy, out, bias, bias_as_out, add, saved, sum;

    ConstView a(Pass pass, int set) const { return pass == Pass::fwd ? x[set] : dy[set]; }
    ConstView b(Pass pass, int set) const { return pass == Pass::wgrad ? x[set] : w[set]; }
    static ConstView maybe(const Buffer& buffer, int set) { return buffer.sets.empty() ? ConstView{} : buffer[set]; }
};

bool adds(const ProductCase& c)
{
    return c.fused && ((c.pass == Pass::fwd && c.layer.add) || (c.pass == Pass::dgrad && c.layer.skipped));
}

std::optional<float> slope_of(const ProductCase& c)
{
    const float slope = c.pass == Pass::fwd ? c.layer.slope : c.layer.input_slope;
    return c.fused && c.pass != Pass::wgrad && slope != 1 ? std::optional(slope) : std::nullopt;
}

std::int64_t out_size(const Conv2dShape& s, Pass pass)
{
    return pass == Pass::fwd ? s.y_size() : pass == Pass::dgrad ? s.x_size() : s.w_size();
}

Values draw(Bench& bench, const ProductCase& c)
{
    const Conv2dShape& s = c.s;
    // Drawn on the host alone: sets are made when the operands are.
    const auto normal = [&](std::int64_t n, std::uint32_t seed, double deviation = 1, bool leaky = false) {
        return bench.normal_values(n, c.dtype(), seed, deviation, leaky);
    };
    Values v;
    if (c.pass != Pass::dgrad) v.x = normal(s.x_size(), 1, 1, true);
    if (c.pass != Pass::wgrad) v.w = normal(s.w_size(), 2, std::sqrt(2.0 / double(s.R * s.S * s.C)));
    if (c.pass != Pass::fwd) v.dy = normal(s.y_size(), 3);
    if (c.fused && c.pass == Pass::fwd) v.bias = normal(s.K, 4);
    if (adds(c)) v.add = normal(out_size(s, c.pass), 5);
    if (c.pass == Pass::dgrad && slope_of(c)) v.saved = normal(s.x_size(), 6, 1, true);
    return v;
}

std::shared_ptr<Operands> place(Bench& bench, const ProductCase& c, const Values& v, const Conv2dShape& s, DType out,
                                bool sum)
{
    auto o = std::make_shared<Operands>();
    o->s = s;
    const std::int64_t out_from = c.pass == Pass::fwd ? c.s.K : c.s.C, out_to = c.pass == Pass::fwd ? s.K : s.C;
    std::vector<float> w = padded_rows(v.w, c.s.C, s.C);
    if (!w.empty()) w.resize(std::size_t(s.w_size()), 0.0f);
    std::vector<float> bias = v.bias;
    if (!bias.empty()) bias.resize(std::size_t(s.K), 0.0f);
    const auto give = [&](Buffer& buffer, std::vector<float> values, DType dtype) {
        if (!values.empty()) buffer = bench.upload(std::move(values), dtype);
    };
    give(o->x, padded_rows(v.x, c.s.C, s.C), c.dtype());
    give(o->w, std::move(w), c.dtype());
    give(o->dy, padded_rows(v.dy, c.s.K, s.K), c.dtype());
    give(o->bias_as_out, bias, c.dtype());
    give(o->bias, std::move(bias), DType::f32);
    give(o->add, padded_rows(v.add, out_from, out_to), c.dtype());
    give(o->saved, padded_rows(v.saved, c.s.C, s.C), c.dtype());
    o->out = bench.poisoned(out_size(s, c.pass), out);
    if (sum) o->sum = bench.poisoned(out_size(s, c.pass), out);
    return o;
}

/// Operands that share another side's inputs.
std::shared_ptr<Operands> beside(Bench& bench, const ProductCase& c, const Operands& other, DType out, bool sum)
{
    auto o = std::make_shared<Operands>(other);
    o->out = bench.poisoned(out_size(o->s, c.pass), out);
    if (sum) o->sum = bench.poisoned(out_size(o->s, c.pass), out);
    return o;
}

Epilogue epilogue_of(const ProductCase& c, const Operands& o, int set)
{
    if (!c.fused) return {};
    const auto slope = slope_of(c);
    return {.bias = Operands::maybe(o.bias, set),
            .add = Operands::maybe(o.add, set),
            .act = slope ? kernels::leaky(*slope) : kernels::Activation{},
            .shuffle = c.layer.shuffle};
}

Store store_of(const ProductCase& c, const Operands& o, View out, int set)
{
    const auto slope = slope_of(c);
    return {.out = out,
            .add = Operands::maybe(o.add, set),
            .act = slope ? kernels::leaky(*slope) : kernels::Activation{},
            .saved = Operands::maybe(o.saved, set)};
}

/// The check of a side that wrote o->out, and db where there is one.
std::function<std::string(double&)> gate_of(Bench& bench, const ProductCase& c, std::shared_ptr<ProductGate> gate,
                                            std::shared_ptr<Operands> o, const Buffer& db)
{
    const std::int64_t f = c.fused ? c.layer.shuffle : 1;
    const std::int64_t channels = c.pass == Pass::fwd ? o->s.K / (f * f) : o->s.C;
    return [&bench, pass = c.pass, gate, o, db, channels](double& error) {
        const std::string wrong = gate->check(bench.download(o->out[0], out_size(o->s, pass)), channels, o->s.C, error);
        if (!wrong.empty() || db.sets.empty()) return wrong;
        return gate->check_bias(bench.download(db[0], o->s.K), error);
    };
}

Side our_side(const ProductCase& c, const Operations& ours, std::shared_ptr<Operands> o, const Buffer& db)
{
    const auto run = [c, ours, o, db](Exec ex, int set) {
        if (c.pass == Pass::fwd)
            ours.fwd(ex, c.s, o->x[set], o->w[set], o->out[set], epilogue_of(c, *o, set));
        else if (c.pass == Pass::dgrad)
            ours.dgrad(ex, c.s, o->dy[set], o->w[set], store_of(c, *o, o->out[set], set));
        else
            ours.wgrad(ex, c.s, o->dy[set], o->x[set], o->out[set], db.sets.empty() ? View{} : db[set]);
    };
    return {.name = "ours", .run = run};
}

/// The cost by the plan device: what the operation itself reports.
Cost cost_of(Bench& bench, const ProductCase& c, const Operations& ours, const Operands& o, const Buffer& db)
{
    kernels::PlanDevice plan(bench.device().target());
    const auto shared = std::make_shared<Operands>(o);
    our_side(c, ours, shared, db).run({&plan, {}, {}}, 0);
    return plan.total();
}

// ---- libraries ---------------------------------------------------------------------------------------------------

/// What follows a library's plan: the rest of the store by our kernel.
std::function<void(Exec, int)> rest_of(const ProductCase& c, bool fused, std::shared_ptr<Operands> o, const Buffer& db)
{
    if (!c.fused) return nullptr;
    if (c.pass == Pass::wgrad)
        return [=](Exec ex, int set) {
            kernels::run(ex, kernels::BiasGrad{o->s.N * o->s.P() * o->s.Q(), o->s.K, o->dy[set], db[set], false});
        };
    if (c.pass == Pass::dgrad)
        return [=](Exec ex, int set) {
            kernels::run(ex, kernels::StoreGradient{o->s.x_size(), o->sum[set], store_of(c, *o, o->out[set], set)});
        };
    return [=](Exec ex, int set) {
        const Epilogue rest = fused ? Epilogue{.shuffle = c.layer.shuffle} : epilogue_of(c, *o, set);
        kernels::run(ex, kernels::EpilogueFwd{o->s.y_shape(), o->sum[set], o->out[set], rest});
    };
}

struct Candidate {
    const char* peer; ///< the library
    bool padded = false, fused = false;
    DType out = DType::f32; ///< of the library's result
};

/// The library does the whole store, so that nothing follows its plan.
bool done_by_plan(const ProductCase& c, const Candidate& way)
{
    return !c.fused || (way.fused && (c.pass == Pass::dgrad || c.layer.shuffle == 1));
}

Product product_of(const ProductCase& c, const Candidate& way, const Conv2dShape& s)
{
    Product p{
        .pass = c.pass, .s = s, .dtype = c.dtype(), .out = way.out, .tf32 = c.precision == "tf32", .brief = c.brief};
    if (!way.fused) return p;
    p.bias = c.pass == Pass::fwd;
    p.add = adds(c);
    p.slope = slope_of(c);
    return p;
}

ProductOperands pointers(const Operands& o, Pass pass, int set, bool to_sum)
{
    return {.a = o.a(pass, set).data,
            .b = o.b(pass, set).data,
            .out = to_sum ? o.sum[set].data : o.out[set].data,
            .bias_as_out = Operands::maybe(o.bias_as_out, set).data,
            .bias = Operands::maybe(o.bias, set).data,
            .add = Operands::maybe(o.add, set).data,
            .saved = Operands::maybe(o.saved, set).data};
}

void add_candidate(Bench& bench, const ProductCase& c, const Values& v, const Operands& ours, const Candidate& way,
                   const std::shared_ptr<ProductGate>& gate, Work& work)
{
    std::string why;
    Library* const library = open_library(way.peer, why);
    if (!library) return;
    const Conv2dShape s = way.padded ? padded_shape(c.s) : c.s;
    const bool to_sum = !done_by_plan(c, way) && c.pass != Pass::wgrad;
    const auto o = way.padded ? place(bench, c, v, s, way.out, to_sum) : beside(bench, c, ours, way.out, to_sum);
    const Buffer db = c.fused && c.pass == Pass::wgrad ? bench.poisoned(s.K, DType::f32) : Buffer{};
    const auto rest = done_by_plan(c, way) ? nullptr : rest_of(c, way.fused, o, db);
    auto plans = library->plans(product_of(c, way, s), bench.exec().stream.handle, pointers(*o, c.pass, 0, to_sum),
                                bench.exec().workspace, why);
    if (!why.empty()) work.absent.push_back(why);
    for (auto& plan : plans) {
        const std::shared_ptr<Plan> shared = std::move(plan);
        const auto run = [=](Exec ex, int set) {
            shared->run(ex.stream.handle, pointers(*o, c.pass, set, to_sum), ex.workspace.data);
            if (rest) rest(ex, set);
        };
        work.peers.push_back({.name = str(shared->name(), way.padded ? ", channels padded" : "", rest ? " + ours" : ""),
                              .run = run,
                              .check = gate_of(bench, c, gate, o, db)});
    }
}

void add_libraries(Bench& bench, const ProductCase& c, const Values& v, const Operands& ours,
                   const std::vector<std::string>& libraries, const std::shared_ptr<ProductGate>& gate, Work& work)
{
    const bool odd = c.s.C % 8 != 0 || c.s.K % 8 != 0;
    std::vector<DType> outs{c.dtype()};
    if (c.pass == Pass::wgrad && c.dtype() != DType::f32) outs.push_back(DType::f32);
    const bool may_fuse = c.fused && c.pass != Pass::wgrad;
    bench.reserve(std::min(kMostLibraryBytes, bench.device().free_bytes() / 4));
    for (const std::string& name : libraries) {
        std::string why;
        if (const Library* const library = open_library(name, why); !library) {
            work.absent.push_back(why);
            continue;
        }
        for (const bool padded : {false, true})
            for (const bool fused : {false, true})
                for (const DType out : outs)
                    if ((!padded || odd) && (!fused || may_fuse))
                        add_candidate(bench, c, v, ours, {name.c_str(), padded, fused, out}, gate, work);
    }
}

} // namespace

const std::vector<ProductPass> kProductPasses = {
    {"_fwd", Pass::fwd, false},          {"_fwd_fused", Pass::fwd, true}, {"_dgrad", Pass::dgrad, false},
    {"_dgrad_fused", Pass::dgrad, true}, {"_wgrad", Pass::wgrad, false},  {"_wgrad_fused", Pass::wgrad, true},
};

bool has_pass(const Grid& grid, const Layer& layer, const ProductPass& pass)
{
    const bool dgrad = pass.pass == Pass::dgrad, fuses = !dgrad || layer.input_slope != 1;
    if (dgrad && layer.picture) return false;
    return pass.fused ? fuses : !grid.options.quick || !fuses;
}

Work product_work(Bench& bench, const ProductCase& c, const Operations& ours, const std::vector<std::string>& libraries)
{
    Work work;
    const auto v = std::make_shared<Values>(draw(bench, c));
    const double operands = double(c.s.x_size() + c.s.y_size() + c.s.w_size());
    bench.rotate(operands * double(dtype_bytes(c.dtype())));
    const auto o = place(bench, c, *v, c.s, c.out_dtype(), false);
    const Buffer db = c.fused && c.pass == Pass::wgrad ? bench.poisoned(c.s.K, DType::f32) : Buffer{};
    const auto gate =
        std::shared_ptr<ProductGate>(new ProductGate(c, c.pass == Pass::fwd ? v->x : v->dy,
                                                     c.pass == Pass::wgrad ? v->x : v->w, v->bias, v->add, v->saved),
                                     [v](ProductGate* p) { delete p; });
    work.cost = cost_of(bench, c, ours, *o, db);
    work.arithmetic = products_of(c.precision);
    work.ours = our_side(c, ours, o, db);
    work.ours.check = gate_of(bench, c, gate, o, db);
    if (bench.device().kind() == kernels::DeviceKind::cuda) add_libraries(bench, c, *v, *o, libraries, gate, work);
    return work;
}

} // namespace bifrons::bench
