#include "bench/op.h"

#include "kernels/device/cpu_device.h"
#include "kernels/device/plan_device.h"

#include <algorithm>
#include <cmath>

namespace bifrons::bench {

namespace {

constexpr double kUlpBf16 = 0x1p-8; // 8 bits, half a unit of the last one

struct Placed {
    std::vector<Buffer> in, out;
    static OpCase::Views views(const std::vector<Buffer>& buffers, int set)
    {
        OpCase::Views views;
        for (const Buffer& b : buffers) views.push_back(b[set]);
        return views;
    }
};

DType on_host(DType dtype)
{
    return dtype == DType::bf16 ? DType::f32 : dtype;
}

/// host: the cpu device computes in f32 with what was rounded to bf16.
Placed place(Bench& bench, const OpCase& c, bool host)
{
    Placed placed;
    for (const Input& in : c.in)
        placed.in.push_back(in.bytes.empty() ? bench.upload(in.values, host ? on_host(in.dtype) : in.dtype)
                                             : bench.upload_bytes(in.bytes));
    for (const Output& out : c.out) {
        const DType dtype = host ? on_host(out.dtype) : out.dtype;
        placed.out.push_back(out.inout.empty() ? bench.poisoned(out.n, dtype) : bench.upload(out.inout, dtype));
    }
    return placed;
}

double bytes_of(const OpCase& c)
{
    double bytes = 0;
    for (const Input& in : c.in) bytes += double(in.bytes.size()) + double(in.values.size() * dtype_bytes(in.dtype));
    for (const Output& out : c.out) bytes += double(out.n) * double(dtype_bytes(out.dtype));
    return bytes;
}

Cost cost_on(kernels::Device& device, const OpCase::Run& run, const Placed& placed)
{
    kernels::PlanDevice plan(device.target());
    run({&plan, {}, {}}, Placed::views(placed.in, 0), Placed::views(placed.out, 0));
    return plan.total();
}

/// What the cpu device makes of the operands.
std::vector<std::vector<float>> reference(const OpCase& c)
{
    kernels::CpuDevice cpu;
    Bench bench(cpu, 1);
    const Placed placed = place(bench, c, true);
    const OpCase::Run& run = c.in_f32 ? c.in_f32 : c.run;
    bench.reserve(cost_on(cpu, run, placed).workspace_bytes);
    run(bench.exec(), Placed::views(placed.in, 0), Placed::views(placed.out, 0));
    std::vector<std::vector<float>> results;
    for (std::size_t i = 0; i < c.out.size(); ++i) results.push_back(bench.download(placed.out[i][0], c.out[i].n));
    return results;
}

std::string compare(const std::vector<float>& got, const std::vector<float>& want, double error, double& largest)
{
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double off = std::abs(double(got[i]) - want[i]), allowed = error * (1 + std::abs(double(want[i])));
        if (!(off <= allowed)) return str("element ", i, " is ", got[i], ", expected ", want[i], " within ", allowed);
        largest = std::max(largest, off / allowed);
    }
    return "";
}

/// A copy that reads and writes as many bytes in all.
Side copy_of(Bench& bench, double bytes)
{
    const auto half = std::int64_t(std::max(1.0, bytes / 2));
    const Buffer from = bench.poisoned(half, DType::u8), to = bench.poisoned(half, DType::u8);
    return {.name = "a copy of as many bytes", .run = [=](Exec ex, int set) {
                ex.device->copy(ex.stream, to[set].data, from[set].data, std::size_t(half));
            }};
}

} // namespace

Work op_work(Bench& bench, const OpCase& c)
{
    bench.rotate(bytes_of(c));
    const auto placed = std::make_shared<Placed>(place(bench, c, false));
    Work work;
    work.cost = cost_on(bench.device(), c.run, *placed);
    work.ours = {
        .name = "ours",
        .run = [c, placed](Exec ex,
                           int set) { c.run(ex, Placed::views(placed->in, set), Placed::views(placed->out, set)); },
        .check =
            [&bench, c, placed](double& error) {
                const auto want = reference(c);
                std::string wrong;
                for (std::size_t i = 0; i < want.size() && wrong.empty(); ++i) {
                    if (c.out[i].scratch) continue;
                    const bool half = c.out[i].dtype == DType::bf16;
                    wrong = compare(bench.download(placed->out[i][0], c.out[i].n), want[i],
                                    c.error + (half ? kUlpBf16 : 0), error);
                }
                return wrong;
            }};
    work.peers.push_back(copy_of(bench, work.cost.bytes));
    return work;
}

namespace {

void add_rows(const Grid& grid, const Network& network, std::int64_t batch, const std::string& precision,
              const std::vector<OpRow>& rows, Cases& cases)
{
    for (const OpRow& row : rows)
        if (row.always || !passes_over(grid, network))
            cases.push_back({row.family, row.what, network, batch, "", precision, [=](Bench& bench) {
                                 return op_work(bench, row.make({network, batch, storage_of(precision)}));
                             }});
}

} // namespace

void add_ops(const Grid& grid, const std::vector<OpRow>& rows, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches)
            for (const std::string& precision : grid.precisions)
                if (precision != "tf32") add_rows(grid, network, batch, precision, rows, cases); // stored as f32
}

void add_f32_ops(const Grid& grid, const std::vector<OpRow>& rows, Cases& cases)
{
    for (const Network& network : grid.networks)
        for (const std::int64_t batch : grid.batches) add_rows(grid, network, batch, "f32", rows, cases);
}

} // namespace bifrons::bench
