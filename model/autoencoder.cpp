#include "model/autoencoder.h"

namespace bifrons::model {

namespace {

std::vector<std::string> inter_names(const Architecture& arch)
{
    return arch.liae ? std::vector<std::string>{"inter_AB", "inter_B"} : std::vector<std::string>{"inter"};
}

std::vector<std::string> decoder_names(const Architecture& arch)
{
    return arch.liae ? std::vector<std::string>{"decoder"} : std::vector<std::string>{"decoder_src", "decoder_dst"};
}

} // namespace

Autoencoder::Autoencoder(Parameters& params, const Architecture& arch)
    : arch_((arch.check(), arch)), encoder_(params, "encoder", arch)
{
    for (const std::string& name : inter_names(arch)) inters_.emplace_back(params, name, arch, encoder_.features());
    for (const std::string& name : decoder_names(arch)) decoders_.emplace_back(params, name, arch);
}

Autoencoder::Reconstructions Autoencoder::reconstruct(Tape& tape, const Var& pictures) const
{
    const Var features = encoder_(tape, pictures);
    return arch_.liae ? reconstruct_liae(tape, features) : reconstruct_df(tape, features);
}

Autoencoder::Reconstructions Autoencoder::reconstruct_df(Tape& tape, const Var& features) const
{
    const std::vector<Var> latents = split(tape, inters_[0](tape, features), 2);
    return {.src = decoders_[0](tape, latents[0]),
            .dst = decoders_[1](tape, latents[1]),
            .latent_src = latents[0],
            .latent_dst = latents[1],
            .latents_ab = {}};
}

Autoencoder::Reconstructions Autoencoder::reconstruct_liae(Tape& tape, const Var& features) const
{
    const std::int64_t both = features.shape()[0], half = both / 2;
    const Var ab = inters_[0](tape, features), b = inters_[1](tape, rows(tape, features, half, both));
    const Var latents = concat_channels(tape, concat_rows(tape, rows(tape, ab, 0, half), b), ab);
    const Decoder::Output out = decoders_[0](tape, latents);
    const std::vector<Var> faces = split(tape, out.face, 2), masks = split(tape, out.mask, 2);
    return {
        .src = {faces[0], masks[0]}, .dst = {faces[1], masks[1]}, .latent_src = {}, .latent_dst = {}, .latents_ab = ab};
}

Decoder::Output Autoencoder::swap(Tape& tape, const Reconstructions& out, Reach reach) const
{
    const auto latent = [&] {
        const std::int64_t both = arch_.liae ? out.latents_ab.shape()[0] : 0;
        const Var v = arch_.liae ? rows(tape, out.latents_ab, both / 2, both) : out.latent_dst;
        return reach == Reach::encoder ? v : Var(v.value());
    };
    const Var z = latent();
    return decoders_[0](tape, arch_.liae ? concat_channels(tape, z, latent()) : z); // of two values
}

Var Autoencoder::code(Tape& tape, const Var& pictures) const
{
    return inters_[0].code(tape, encoder_(tape, pictures));
}

Decoder::Output Autoencoder::as_src(Tape& tape, const Var& pictures, const CodeMap* map) const
{
    Var z = code(tape, pictures);
    if (map) z = dense(tape, z, Var(map->weight), Var(map->bias));
    const Var latent = inters_[0].expand(tape, z);
    return decoders_[0](tape, arch_.liae ? concat_channels(tape, latent, latent) : latent);
}

Decoder::Output Autoencoder::as_dst(Tape& tape, const Var& pictures) const
{
    const Var features = encoder_(tape, pictures), latent = inters_[0](tape, features);
    return arch_.liae ? decoders_[0](tape, concat_channels(tape, inters_[1](tape, features), latent))
                      : decoders_[1](tape, latent);
}

std::vector<std::string> Autoencoder::blocks() const
{
    std::vector<std::string> names = {"encoder"};
    for (const auto& more : {inter_names(arch_), decoder_names(arch_)})
        names.insert(names.end(), more.begin(), more.end());
    return names;
}

std::vector<std::string> Autoencoder::identity_blocks() const
{
    return inter_names(arch_);
}

} // namespace bifrons::model
