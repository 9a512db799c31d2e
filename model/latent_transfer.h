// model/latent_transfer.h - the latent mapping: maps the destination's latents to the distribution of the source's, so
// that the source's decoder gets what it was trained on.
//
//   T(z) = W z + b,   W = Sd^-1/2 (Sd^1/2 Ss Sd^1/2)^1/2 Sd^-1/2,   b = ms - W md
//
// md, ms and Sd, Ss are the means and covariances of the two identities' codes (Autoencoder::code). Of all maps between
// two normal distributions T moves the codes least. A clip has fewer frames than a code has numbers, so the covariances
// are estimated with shrinkage:
//
//   S* = r m I + (1 - r) S,   m = tr S / p,   r = min(b2, d2) / d2,   d2 = |S - m I|^2,   b2 = mean |z z' - S|^2 / n
//
// Source  Knott & Smith 1984, JOTA 43:39 (the map); Ledoit & Wolf 2004, J. Multivariate Analysis 88:365, section 3.2
// Tests  tests/model/latent_transfer_test.cpp
#pragma once

#include "model/trained.h"

namespace bifrons::model {

/// z -> W z + b, and what it was fitted to.
struct LatentMap {
    std::int64_t dims = 0;
    std::vector<double> weight; ///< [dims,dims]
    std::vector<double> bias;   ///< [dims]
    std::int64_t step = 0;      ///< of the model whose codes these were
    std::int64_t dst_faces = 0, src_faces = 0;
    double dst_shrinkage = 0, src_shrinkage = 0; ///< r
};

/// Codes [n,dims] of the two identities, n >= 2 each. Throws Error(data) where all codes of one are the same.
LatentMap fit_latent_map(std::int64_t dims, const std::vector<double>& dst, const std::vector<double>& src);

/// The map at a strength: z -> z + strength (T(z) - z), on the device, in the type of the network's products.
CodeMap code_map(kernels::Exec ex, Memory& memory, const LatentMap& map, double strength, Precision precision);

/// The codes [n,ae] of pictures [n,R,R,3] BGR 0..1. Waits.
std::vector<double> codes_of(kernels::Device& device, const TrainedModel& model, const std::vector<float>& pictures);

/// FOLDER/latent_map.safetensors, beside the model's checkpoints.
std::string latent_map_path(const std::string& model_folder);
/// In one step, over an older one. Throws Error(failed).
void save_latent_map(const std::string& path, const LatentMap& map);
/// Throws Error(data), naming the file, on anything that save_latent_map() did not write or that is of other codes.
LatentMap load_latent_map(const std::string& path, std::int64_t dims);

} // namespace bifrons::model
