#include "model/import/dfm.h"

#include "kernels/base/error.h"

#if BIFRONS_HAS_ONNX
#include "kernels/base/utf8.h"
#include "model/autoencoder.h"
#include "model/deepfacelab_places.h"
#include "model/import/dfm_graph.h"

#include <algorithm>
#endif

namespace bifrons::model {

#if BIFRONS_HAS_ONNX

namespace {

using Value = DfmGraph::Value;
using Layer = DfmGraph::Layer;
using Found = DfmGraph::Found;

constexpr std::size_t kMostUps = 4, kMostDowns = 5; // with `t`

/// Layers in the order in which they are found: from the last to the first.
class DfmReader {
  public:
    explicit DfmReader(const std::string& path) : graph_(path) {}

    DfmModel read()
    {
        check_ends();
        const auto& outputs = graph_.graph().output();
        const Decoder src = face(outputs[1].name());
        arch_.d = src.has_phases;
        arch_.t = src.ups.size() == kMostUps;
        const Found latent = graph_.find(src.latent);
        arch_.liae = latent.node && latent.node->op_type() == "Concat";
        name_face(arch_.liae ? "decoder" : "decoder_src", src);
        const Value masked = mask(arch_.liae ? "decoder" : "decoder_src", outputs[2].name()),
                    dst = mask(arch_.liae ? "decoder" : "decoder_dst", outputs[0].name());
        if (graph_.find(masked).node != latent.node) graph_.refuse(graph_.find(masked), "the face's latent");
        inters(latent, graph_.find(dst));
        fill_settings();
        check_complete();
        return std::move(made_);
    }

  private:
    struct Decoder {
        Layer head;
        std::vector<Layer> phases; ///< with `d`
        std::vector<Layer> ups, firsts, seconds;
        Value latent;
        bool has_phases = false;
    };

    void check_ends() const
    {
        const onnx::GraphProto& g = graph_.graph();
        const auto has_input = [&](const char* name) {
            return std::any_of(g.input().begin(), g.input().end(), [&](const onnx::ValueInfoProto& input) {
                return input.name().find(name) != std::string::npos;
            });
        };
        BIFRONS_CHECK(data, !has_input("morph_value"), graph_.path(),
                      ": is a model of DeepFaceLab's AMP (it reads a morph_value), a network that Bifrons does not "
                      "have; expected SAEHD");
        BIFRONS_CHECK(
            data, has_input("in_face") && g.output_size() == 3, graph_.path(), ": has ", g.output_size(),
            " outputs; expected a .dfm, which reads in_face and has three: ", "destination's mask, face, mask");
    }

    /// y = act(x + conv2(act(conv1(x)))): which input is which.
    std::pair<Value, Value> residual(const Found& sum) const
    {
        const Value &a = sum.node->input(0), &b = sum.node->input(1);
        return is_layer(a) ? std::pair{b, a} : std::pair{a, b};
    }
    /// Made by a convolution without an activation.
    bool is_layer(const Value& value) const
    {
        const onnx::NodeProto* const node = graph_.producer(value);
        const bool adds = node && node->op_type() == "Add" && node->input_size() == 2;
        return node && (node->op_type() == "Conv" ||
                        (adds && (graph_.is_constant(node->input(0)) || graph_.is_constant(node->input(1)))));
    }
    bool is_sum(const Found& found) const
    {
        return found.node && found.node->op_type() == "Add" && found.node->input_size() == 2;
    }

    Layer take(const Value& value)
    {
        const Found found = graph_.find(value);
        note(found);
        return graph_.layer(found);
    }
    void note(const Found& found)
    {
        arch_.c = arch_.c || found.has_cosine;
        arch_.u = arch_.u || found.norms;
    }

    Decoder face(const Value& output)
    {
        Decoder d;
        const Found end = graph_.find(output);
        d.has_phases = end.node && end.node->op_type() == "Concat";
        if (d.has_phases) {
            for (const Value& part : end.node->input()) d.phases.push_back(graph_.layer(part));
            d.head = d.phases.front();
            d.phases.erase(d.phases.begin());
        } else {
            d.head = graph_.layer(end);
        }
        Value value = d.head.input;
        for (Found sum = graph_.find(value); is_sum(sum); sum = graph_.find(value)) {
            if (d.ups.size() == kMostUps) graph_.refuse(sum, "the decoder's first layer");
            note(sum);
            const auto [x, y] = residual(sum);
            d.seconds.push_back(take(y));
            d.firsts.push_back(take(d.seconds.back().input));
            d.ups.push_back(take(x));
            value = d.ups.back().input;
        }
        d.latent = value;
        return d;
    }

    void name_face(const std::string& block, const Decoder& d)
    {
        const std::size_t n = d.ups.size();
        for (std::size_t i = 0; i < n; ++i) {
            put(str(block, ".up", n - 1 - i), d.ups[i]);
            put(str(block, ".res", n - 1 - i, ".conv1"), d.firsts[i]);
            put(str(block, ".res", n - 1 - i, ".conv2"), d.seconds[i]);
        }
        put(block + ".out", d.head);
        Layer phases;
        for (const Layer& part : d.phases) {
            phases.weight.insert(phases.weight.end(), part.weight.begin(), part.weight.end());
            phases.bias.insert(phases.bias.end(), part.bias.begin(), part.bias.end());
        }
        if (d.has_phases) put(block + ".out3", phases);
        ups_ = int(n);
        made_.settings.d_dims = n == 0 ? 0 : d.ups.front().outputs / 8;
    }

    /// Returns the latent that it is made of.
    Value mask(const std::string& block, const Value& output)
    {
        const Layer head = take(output);
        put(block + ".mask_out", head);
        Value value = head.input;
        for (int i = ups_ + (arch_.d ? 1 : 0); i-- > 0;) {
            const Layer up = take(value);
            put(str(block, ".mask_up", i), up);
            value = up.input;
        }
        made_.settings.d_mask_dims = head.inputs / (arch_.d ? 1 : 2);
        return value;
    }

    void inters(const Found& src, const Found& dst)
    {
        if (!arch_.liae) return encoder(inter("inter", src));
        if (!dst.node || dst.node->op_type() != "Concat" || dst.node->input_size() != 2 || src.node->input_size() != 2)
            graph_.refuse(dst, "Concat of two");
        inter("inter_B", graph_.find(dst.node->input(0)));
        encoder(inter("inter_AB", graph_.find(src.node->input(0))));
    }

    /// Returns the features that it reads.
    Value inter(const std::string& name, Found found)
    {
        note(found);
        if (!arch_.t) {
            const Layer up = graph_.layer(found);
            put(name + ".upscale1", up);
            found = graph_.find(up.input);
            note(found);
        }
        const Layer second = graph_.layer(found), first = graph_.layer(second.input);
        put(name + ".dense2", second);
        put(name + ".dense1", first);
        made_.settings.ae_dims = first.outputs;
        return first.input;
    }

    void encoder(Value value)
    {
        std::vector<Layer> downs;
        Found found = graph_.find(value);
        features_are_planar_ = !found.channels_last;
        for (; found.node; found = graph_.find(value)) {
            if (downs.size() == kMostDowns) graph_.refuse(found, "the input");
            note(found);
            if (is_sum(found)) {
                const auto [x, y] = residual(found);
                const std::string name = downs.empty() ? "encoder.res5" : "encoder.res1";
                const Layer second = take(y);
                put(name + ".conv2", second);
                put(name + ".conv1", take(second.input));
                value = x;
                found = graph_.find(value);
                note(found);
            }
            downs.push_back(graph_.layer(found));
            value = downs.back().input;
        }
        for (std::size_t i = 0; i < downs.size(); ++i) put(str("encoder.down", downs.size() - i), downs[i]);
        made_.settings.e_dims = downs.empty() ? 0 : downs.back().outputs;
    }

    void put(const std::string& name, const Layer& layer)
    {
        made_.weights[name + ".weight"] = layer.weight;
        made_.weights[name + ".bias"] = layer.bias;
        if (name.find(".dense2") != name.npos) maps_are_planar_ = layer.is_planar;
    }

    void fill_settings()
    {
        Settings& s = made_.settings;
        s.archi = arch_.name();
        const auto& sides = graph_.graph().input(0).type().tensor_type().shape().dim();
        s.resolution = sides.size() == 4 ? sides[1].dim_value() : 0;
        const std::string type = graph_.note("face_type");
        made_.says_face_type = !type.empty();
        s.face_type = "whole_face";
        try {
            if (made_.says_face_type) apply_assignment(s, "face_type=" + type);
            arch_ = architecture_of(s);
            arch_.check();
        } catch (const Error& error) {
            throw Error(ErrorKind::data,
                        str(graph_.path(), ": is not a network of DeepFaceLab's SAEHD: ", error.what()));
        }
    }

    /// Every parameter of the network is there with its size, but for the destination's face, and none beside them.
    void check_complete()
    {
        Parameters params;
        const Autoencoder net(params, arch_);
        std::size_t found = 0;
        for (const Parameters::Entry& e : params.entries()) {
            const auto weights = made_.weights.find(e.name);
            const bool is_absent = weights == made_.weights.end();
            if (is_absent && e.name.rfind("decoder_dst.", 0) == 0) continue;
            BIFRONS_CHECK(data, !is_absent && std::int64_t(weights->second.size()) == e.shape.size(), graph_.path(),
                          ": is not a network of DeepFaceLab's SAEHD: as ", arch_.name(), " of ", arch_.resolution,
                          " px, ", e.name, " has ", is_absent ? 0 : weights->second.size(), " values; expected ",
                          e.shape.size());
            reorder(e, weights->second);
            ++found;
        }
        BIFRONS_CHECK(data, found == made_.weights.size(), graph_.path(),
                      ": is not a network of DeepFaceLab's SAEHD: "
                      "it has more layers than ",
                      arch_.name());
    }

    /// Flattened maps lie pixel by pixel here.
    void reorder(const Parameters::Entry& e, std::vector<float>& values) const
    {
        const bool reads = e.name.find(".dense1.weight") != std::string::npos && features_are_planar_,
                   makes = e.name.find(".dense2.") != std::string::npos && maps_are_planar_;
        if (!reads && !makes) return;
        const std::int64_t outputs = e.shape[0], inputs = e.shape.size() / outputs;
        const std::int64_t seen = reads ? arch_.encoder_side() * arch_.encoder_side() : 1,
                           made = makes ? arch_.dense_side() * arch_.dense_side() : 1;
        const std::vector<float> from = values;
        for (std::int64_t o = 0; o < outputs; ++o)
            for (std::int64_t i = 0; i < inputs; ++i)
                values[std::size_t(o * inputs + i)] =
                    from[std::size_t(planar(o, outputs, made) * inputs + planar(i, inputs, seen))];
    }

    const DfmGraph graph_;
    Architecture arch_{.u = false, .d = false};
    int ups_ = 0;
    bool features_are_planar_ = false, maps_are_planar_ = false;
    DfmModel made_;
};

} // namespace

DfmModel read_dfm(const std::string& path)
{
    return DfmReader(path).read();
}

#else

DfmModel read_dfm(const std::string& path)
{
    throw Error(ErrorKind::failed, path + ": this program was built without libonnx, which reads .dfm. Run "
                                          "tools/setup.sh, which installs libonnx-dev and libprotobuf-dev, and build "
                                          "again.");
}

#endif

} // namespace bifrons::model
