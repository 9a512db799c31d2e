#include "model/export/onnx.h"

#include "kernels/base/error.h"

#if BIFRONS_HAS_ONNX
#include "kernels/base/words.h"
#include "model/adversary.h"
#include "model/autoencoder.h"
#include "model/export/onnx_layers.h"
#include "model/patch_strides.h"
#include "model/trained.h"
#include "model/trainer.h"

#include <algorithm>
#include <numeric>
#endif

namespace bifrons::model {

bool writes_onnx()
{
    return BIFRONS_HAS_ONNX;
}

#if BIFRONS_HAS_ONNX

namespace {

using Value = OnnxGraph::Value;
using Sides = OnnxGraph::Sides;

constexpr std::int64_t kAny = OnnxGraph::kAny;

/// The parameters of a checkpoint's network and discriminator, checked against what its settings say.
class CheckpointWeights {
  public:
    explicit CheckpointWeights(const Checkpoint& checkpoint)
        : settings_(settings_of(checkpoint)), arch_(architecture_of(settings_)), file_(checkpoint.file),
          net_(params_, arch_), adversary_(params_, arch_, adversary_of(in_effect(settings_))),
          averaged_(holds(file_, kAveragePrefix, params_, params_.groups().front()))
    {
    }

    const Settings& settings() const { return settings_; }
    const Architecture& architecture() const { return arch_; }
    /// Of the autoencoder.
    std::vector<std::string> blocks() const { return net_.blocks(); }
    bool has(const std::string& block) const { return !params_.block(block).empty(); }
    /// How many of these layers, numbered from 1, the network has.
    int count(const std::string& layer) const
    {
        int n = 0;
        while (has(str(layer, n + 1))) ++n;
        return n;
    }

    NamedTensor operator()(const std::string& name) const
    {
        const Parameters::Entry& e = params_.entries()[std::size_t(params_.find(name))];
        const bool has_average = averaged_ && e.offset < params_.groups().front().end;
        return parameter(file_, has_average ? kAveragePrefix : "", e, DType::f32);
    }

  private:
    const Settings settings_;
    const Architecture arch_;
    const SafetensorsFile& file_;
    Parameters params_;
    const Autoencoder net_;
    const Adversary adversary_;
    const bool averaged_;
};

/// encoder.h, inter.h, decoder.h and discriminator.h as graphs. Vectors are as there; maps have their channels first.
class Network {
  public:
    Network(OnnxGraph& graph, const Architecture& arch) : graph_(graph), arch_(arch), layers_(graph, arch) {}

    Value picture(const Value& name) const { return map(name, arch_.resolution, 3); }
    Value map(const Value& name, std::int64_t side, std::int64_t channels) const
    {
        return layers_.channels_first(graph_.from_f32(graph_.input(name, {kAny, side, side, channels})));
    }
    Value vector(const Value& name, std::int64_t length) const
    {
        return graph_.from_f32(graph_.input(name, {kAny, length}));
    }
    Value encoder(Value x) const
    {
        const int downs = arch_.t ? 5 : 4;
        for (int i = 1; i <= downs; ++i) {
            x = layers_.downscale(str("encoder.down", i), x);
            if (arch_.t && (i == 1 || i == downs)) x = layers_.residual(str("encoder.res", i), x);
        }
        x = layers_.reshape(layers_.channels_last(x), {kAny, features()});
        return arch_.u ? layers_.pixel_norm(x) : x;
    }
    std::int64_t features() const
    {
        const std::int64_t side = arch_.encoder_side();
        return side * side * 8 * arch_.e_dims;
    }
    Value code(const std::string& inter, const Value& features) const
    {
        return layers_.dense(inter + ".dense1", features);
    }
    Value expand(const std::string& inter, const Value& code) const
    {
        const std::int64_t L = arch_.dense_side();
        const Value map = layers_.reshape(layers_.dense(inter + ".dense2", code), {kAny, L, L, arch_.inter_channels()}),
                    x = layers_.channels_first(map);
        return arch_.t ? x : layers_.upscale(inter + ".upscale1", x);
    }
    Value face(const std::string& decoder, Value x) const
    {
        for (int i = 0; i < ups(); ++i)
            x = layers_.residual(str(decoder, ".res", i), layers_.upscale(str(decoder, ".up", i), x));
        const Value head = layers_.conv(decoder + ".out", x, 1);
        if (!arch_.d) return layers_.sigmoid(head);
        return layers_.sigmoid(layers_.shuffle(layers_.concat(head, layers_.conv(decoder + ".out3", x, 3))));
    }
    Value mask(const std::string& decoder, Value x) const
    {
        const int mask_ups = ups() + (arch_.d ? 1 : 0);
        for (int i = 0; i < mask_ups; ++i) x = layers_.upscale(str(decoder, ".mask_up", i), x);
        return layers_.sigmoid(layers_.conv(decoder + ".mask_out", x, 1));
    }
    /// What the source's and the destination's decoders read.
    struct Latents {
        Value code, src, dst;
    };
    Latents latents(const Value& features) const
    {
        const std::string first = arch_.liae ? "inter_AB" : "inter";
        const Value z = code(first, features), latent = expand(first, z);
        if (!arch_.liae) return {z, latent, latent};
        const Value b = expand("inter_B", code("inter_B", features));
        return {z, layers_.concat(latent, latent), layers_.concat(b, latent)};
    }
    struct Answers {
        Value centre, full;
    };
    /// The convolutions' strides, from the picture down.
    Answers patch_discriminator(const Value& picture, const std::vector<int>& strides) const
    {
        const auto convolved = [&](const char* layer, const Value& x) {
            return layers_.conv(str("discriminator.", layer), x, 1);
        };
        std::vector<Value> on_the_way = {layers_.leaky(convolved("in", picture), 0.2f)};
        for (std::size_t i = 0; i < strides.size(); ++i)
            on_the_way.push_back(
                layers_.leaky(layers_.conv(str("discriminator.down", i + 1), on_the_way.back(), 3, strides[i]), 0.2f));
        const Value centre = graph_.to_f32(convolved("centre", on_the_way.back()));
        Value x = layers_.leaky(convolved("bottom", on_the_way.back()), 0.2f);
        for (std::size_t i = strides.size(); i-- > 0;)
            x = layers_.concat(
                on_the_way[i],
                layers_.leaky(layers_.conv_transpose(str("discriminator.up", i + 1), x, 3, strides[i]), 0.2f));
        return {centre, graph_.to_f32(convolved("full", x))};
    }
    Value fc_discriminator(Value x, int downs) const
    {
        for (int i = 1; i <= downs; ++i) x = layers_.leaky(layers_.conv(str("discriminator.down", i), x, 5, 2), 0.2f);
        x = layers_.leaky(layers_.dense("discriminator.dense", layers_.flatten(layers_.channels_last(x))), 0.2f);
        return graph_.to_f32(layers_.conv("discriminator.out", layers_.pixel(x), 1));
    }
    Value code_discriminator(Value x, int downs) const
    {
        for (int i = 1; i <= downs; ++i)
            x = layers_.leaky(layers_.conv(str("code_discriminator.down", i), x, i == 1 ? 4 : 3, 2), 0.1f);
        return graph_.to_f32(layers_.conv("code_discriminator.out", x, 1));
    }
    std::string src_decoder() const { return arch_.liae ? "decoder" : "decoder_src"; }
    std::string dst_decoder() const { return arch_.liae ? "decoder" : "decoder_dst"; }

    void output_face(const Value& name, const Value& face) const { output_map(name, face, arch_.resolution, 3); }
    void output_mask(const Value& name, const Value& mask) const { output_map(name, mask, arch_.resolution, 1); }
    /// f32, as all that is put out.
    void output_map(const Value& name, const Value& map, std::int64_t side, std::int64_t channels) const
    {
        graph_.output(name, layers_.channels_last(map), {kAny, side, side, channels});
    }
    void output_latent(const Value& name, const Value& map) const
    {
        output_map(name, graph_.to_f32(map), arch_.latent_side(), arch_.inter_channels());
    }
    void output_vector(const Value& name, const Value& x, std::int64_t length) const
    {
        graph_.output(name, graph_.to_f32(x), {kAny, length});
    }

  private:
    int ups() const { return arch_.t ? 4 : 3; }

    OnnxGraph& graph_;
    const Architecture& arch_;
    const OnnxLayers layers_;
};

void write_dfm(const Network& net)
{
    const Network::Latents latents = net.latents(net.encoder(net.picture("in_face:0")));
    net.output_mask("out_face_mask:0", net.mask(net.dst_decoder(), latents.dst));
    net.output_face("out_celeb_face:0", net.face(net.src_decoder(), latents.src));
    net.output_mask("out_celeb_face_mask:0", net.mask(net.src_decoder(), latents.src));
}

void write_network(const Network& net, const Architecture& arch)
{
    const Network::Latents latents = net.latents(net.encoder(net.picture("picture")));
    net.output_vector("code", latents.code, arch.ae_dims);
    net.output_face("face_src", net.face(net.src_decoder(), latents.src));
    net.output_mask("mask_src", net.mask(net.src_decoder(), latents.src));
    net.output_face("face_dst", net.face(net.dst_decoder(), latents.dst));
    net.output_mask("mask_dst", net.mask(net.dst_decoder(), latents.dst));
}

void write_discriminator(const Network& net, const CheckpointWeights& weights)
{
    const AdversaryOptions options = adversary_of(in_effect(weights.settings()));
    const int resolution = weights.architecture().resolution;
    const Value picture = net.picture("picture");
    if (options.kind == AdversaryOptions::Kind::fc)
        return net.output_map("answer", net.fc_discriminator(picture, weights.count("discriminator.down")), 1, 1);
    const std::vector<int> strides = patch_strides(options.patch);
    const Network::Answers answers = net.patch_discriminator(picture, strides);
    const int seen = std::accumulate(strides.begin(), strides.end(), 1, std::multiplies<>());
    net.output_map("centre", answers.centre, resolution / seen, 1);
    net.output_map("full", answers.full, resolution, 1);
}

void write_code_discriminator(const Network& net, const CheckpointWeights& weights)
{
    const Architecture& arch = weights.architecture();
    const int downs = weights.count("code_discriminator.down");
    const Value latent = net.map("latent", arch.latent_side(), arch.inter_channels());
    int side = arch.latent_side() / 2 + 1;                      // behind 4x4
    for (int i = 2; i <= downs; ++i) side = (side - 1) / 2 + 1; // behind 3x3
    net.output_map("answer", net.code_discriminator(latent, downs), side, 1);
}

void write_block(const Network& net, const Architecture& arch, const std::string& block)
{
    if (block == "encoder") return net.output_vector("features", net.encoder(net.picture("picture")), net.features());
    if (block.rfind("inter", 0) == 0) {
        const Value code = net.code(block, net.vector("features", net.features()));
        net.output_vector("code", code, arch.ae_dims);
        return net.output_latent("latent", net.expand(block, code));
    }
    const Value latent = net.map("latent", arch.latent_side(), arch.decoder_channels());
    net.output_face("face", net.face(block, latent));
    net.output_mask("mask", net.mask(block, latent));
}

void write_part(const Network& net, const CheckpointWeights& weights, const std::string& part)
{
    std::vector<std::string> parts = weights.blocks();
    for (const char* const name : {"discriminator", "code_discriminator"})
        if (weights.has(name)) parts.emplace_back(name);
    BIFRONS_CHECK(usage, std::find(parts.begin(), parts.end(), part) != parts.end(), "the model has no part \"", part,
                  "\"; it has ", joined(parts));
    if (part == "discriminator") return write_discriminator(net, weights);
    if (part == "code_discriminator") return write_code_discriminator(net, weights);
    write_block(net, weights.architecture(), part);
}

std::string file_of(const Checkpoint& checkpoint, const OnnxOptions& options,
                    const std::function<void(const Network&, const CheckpointWeights&)>& write)
{
    const CheckpointWeights weights(checkpoint);
    const Settings& s = weights.settings();
    OnnxGraph graph(s.archi, std::cref(weights), options.half);
    write(Network(graph, weights.architecture()), weights);
    graph.note("face_type", s.face_type);
    graph.note("step", str(checkpoint.step));
    return graph.file(options.producer);
}

} // namespace

std::string dfm_file(const Checkpoint& checkpoint, const OnnxOptions& options)
{
    return file_of(checkpoint, options, [](const Network& net, const CheckpointWeights&) { write_dfm(net); });
}

std::string onnx_file(const Checkpoint& checkpoint, const std::string& part, const OnnxOptions& options)
{
    return file_of(checkpoint, options, [&](const Network& net, const CheckpointWeights& weights) {
        if (part.empty())
            write_network(net, weights.architecture());
        else
            write_part(net, weights, part);
    });
}

#else

namespace {

[[noreturn]] void refuse()
{
    throw Error(ErrorKind::failed, "this program was built without libonnx, which writes ONNX and .dfm. Run "
                                   "tools/setup.sh, which installs libonnx-dev and libprotobuf-dev, and build again.");
}

} // namespace

std::string dfm_file(const Checkpoint&, const OnnxOptions&)
{
    refuse();
}

std::string onnx_file(const Checkpoint&, const std::string&, const OnnxOptions&)
{
    refuse();
}

#endif

} // namespace bifrons::model
