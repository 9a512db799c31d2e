#include "model/latent_transfer.h"

#include "engine/step.h"
#include "kernels/pointwise/cast.h"

#include <filesystem>

#include <Eigen/Dense>

namespace bifrons::model {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr const char* kFormat = "bifrons latent map";

/// A normal distribution that codes may have come from.
struct Normal {
    Vector mean;
    Matrix covariance;
    double shrinkage;
};

Normal estimate(const Matrix& codes, const char* whose)
{
    const auto n = double(codes.rows()), p = double(codes.cols());
    BIFRONS_CHECK(data, codes.rows() >= 2, "map: ", codes.rows(), " faces of the ", whose, "; expected 2 or more");
    const Vector mean = codes.colwise().mean();
    const Matrix centred = codes.rowwise() - mean.transpose();
    const Matrix sample = centred.transpose() * centred / n;
    const double m = sample.trace() / p;
    BIFRONS_CHECK(data, m > 0, "map: all latents of the ", whose, " are the same; expected faces that differ");

    Matrix apart = sample;
    apart.diagonal().array() -= m;
    const double d2 = apart.squaredNorm();
    // |z z' - S|^2 = (z'z)^2 - 2 z'S z + |S|^2
    const Vector lengths = centred.rowwise().squaredNorm();
    const Vector products = (centred * sample).cwiseProduct(centred).rowwise().sum();
    const double b2 = (lengths.squaredNorm() - 2 * products.sum() + n * sample.squaredNorm()) / (n * n);
    const double r = d2 > 0 ? std::min(b2, d2) / d2 : 1;
    Matrix covariance = (1 - r) * sample;
    covariance.diagonal().array() += r * m;
    return {mean, covariance, r};
}

/// The power of a symmetric matrix whose eigenvalues are positive but for rounding.
Matrix power(const Matrix& a, double exponent)
{
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(a);
    const Vector& values = solver.eigenvalues();
    const double floor = 1e-12 * values.maxCoeff();
    return solver.eigenvectors() * values.cwiseMax(floor).array().pow(exponent).matrix().asDiagonal() *
           solver.eigenvectors().transpose();
}

Matrix matrix_of(const std::vector<double>& values, std::int64_t columns)
{
    return Eigen::Map<const Matrix>(values.data(), std::int64_t(values.size()) / columns, columns);
}

} // namespace

LatentMap fit_latent_map(std::int64_t dims, const std::vector<double>& dst, const std::vector<double>& src)
{
    const Matrix dst_codes = matrix_of(dst, dims), src_codes = matrix_of(src, dims);
    const Normal from = estimate(dst_codes, "destination"), to = estimate(src_codes, "source");
    const Matrix root = power(from.covariance, 0.5), inverse = power(from.covariance, -0.5);
    const Matrix weight = inverse * power(root * to.covariance * root, 0.5) * inverse;
    const Vector bias = to.mean - weight * from.mean;
    return {.dims = dims,
            .weight = {weight.data(), weight.data() + weight.size()},
            .bias = {bias.data(), bias.data() + bias.size()},
            .dst_faces = dst_codes.rows(),
            .src_faces = src_codes.rows(),
            .dst_shrinkage = from.shrinkage,
            .src_shrinkage = to.shrinkage};
}

CodeMap code_map(kernels::Exec ex, Memory& memory, const LatentMap& map, double strength, Precision precision)
{
    BIFRONS_CHECK(usage, strength >= 0 && strength <= 1, "latent mapping: strength is ", strength, "; expected 0..1");
    std::vector<float> weight, bias;
    for (std::int64_t i = 0; i < map.dims * map.dims; ++i)
        weight.push_back(float(strength * map.weight[std::size_t(i)] + (i % (map.dims + 1) == 0 ? 1 - strength : 0)));
    for (const double b : map.bias) bias.push_back(float(strength * b));
    CodeMap on_device{.weight = Tensor::empty({map.dims, map.dims}, DType::f32, memory),
                      .bias = Tensor::empty({map.dims}, DType::f32, memory)};
    on_device.weight.upload(ex, weight);
    on_device.bias.upload(ex, bias);
    if (precision != Precision::bf16) return on_device;
    const Tensor narrow = Tensor::empty(on_device.weight.shape(), DType::bf16, memory);
    kernels::run(ex, kernels::Cast{narrow.size(), on_device.weight.view(), narrow.view()});
    ex.device->synchronize(ex.stream);
    on_device.weight = narrow;
    return on_device;
}

std::vector<double> codes_of(kernels::Device& device, const TrainedModel& model, const std::vector<float>& pictures)
{
    constexpr std::int64_t kBatch = 8;
    const Architecture& arch = model.network().architecture();
    const std::int64_t R = arch.resolution, pixels = R * R * 3, n = std::int64_t(pictures.size()) / pixels;
    const kernels::Exec ex{&device, {}, {}};
    Pool pool(device);
    const Tensor input = Tensor::empty({kBatch, R, R, 3}, DType::f32, pool),
                 codes = Tensor::empty({kBatch, arch.ae_dims}, DType::f32, pool);
    Step encode(device, {}, [&](kernels::Exec inside, Memory& memory) {
        Tape tape(inside, memory, false, model.precision());
        const Var z = cast(tape, model.network().code(tape, Var(input)), DType::f32);
        inside.device->copy(inside.stream, codes.view().data, z.view().data, codes.bytes());
    });
    std::vector<double> all;
    for (std::int64_t first = 0; first < n; first += kBatch) {
        const std::int64_t here = std::min(kBatch, n - first);
        std::vector<float> some(std::size_t(kBatch * pixels), 0.0f);
        std::copy_n(pictures.begin() + first * pixels, here * pixels, some.begin());
        input.upload(ex, some);
        encode.run();
        const std::vector<double> z = codes.download<double>(ex);
        all.insert(all.end(), z.begin(), z.begin() + here * arch.ae_dims);
    }
    return all;
}

std::string latent_map_path(const std::string& model_folder)
{
    return (std::filesystem::path(model_folder) / "latent_map.safetensors").string();
}

void save_latent_map(const std::string& path, const LatentMap& map)
{
    write_safetensors(path,
                      {{"weight", DType::f64, {map.dims, map.dims}, map.weight.data()},
                       {"bias", DType::f64, {map.dims}, map.bias.data()}},
                      {{"format", kFormat},
                       {"step", str(map.step)},
                       {"dst_faces", str(map.dst_faces)},
                       {"src_faces", str(map.src_faces)},
                       {"dst_shrinkage", str(map.dst_shrinkage)},
                       {"src_shrinkage", str(map.src_shrinkage)}});
}

LatentMap load_latent_map(const std::string& path, std::int64_t dims)
{
    const SafetensorsFile file(path);
    const auto text = [&](const char* key) {
        const auto it = file.metadata().find(key);
        BIFRONS_CHECK(data, it != file.metadata().end(), path, ": has no \"", key,
                      "\"; expected a file of `bifrons map`");
        return it->second;
    };
    BIFRONS_CHECK(data, text("format") == kFormat, path, ": is \"", text("format"),
                  "\"; expected a file of `bifrons map`");
    const auto values = [&](const char* name, std::int64_t size) {
        const NamedTensor& t = file.at(name);
        BIFRONS_CHECK(data, t.dtype == DType::f64 && t.size() == size, path, ": ", name, " has ", t.size(),
                      " values of ", kernels::dtype_name(t.dtype), "; expected ", size,
                      " of f64. It belongs to another model: run `bifrons map` again.");
        std::vector<double> copy(static_cast<std::size_t>(size));
        std::copy_n(static_cast<const char*>(t.data), t.bytes(), reinterpret_cast<char*>(copy.data()));
        return copy;
    };
    LatentMap map{.dims = dims, .weight = values("weight", dims * dims), .bias = values("bias", dims)};
    try {
        map.step = std::stoll(text("step"));
        map.dst_faces = std::stoll(text("dst_faces"));
        map.src_faces = std::stoll(text("src_faces"));
        map.dst_shrinkage = std::stod(text("dst_shrinkage"));
        map.src_shrinkage = std::stod(text("src_shrinkage"));
    } catch (const std::logic_error&) {
        throw Error(ErrorKind::data, str(path, ": its metadata holds something else where a number belongs"));
    }
    return map;
}

} // namespace bifrons::model
