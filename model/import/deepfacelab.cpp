#include "model/import/deepfacelab.h"

#include "kernels/base/error.h"
#include "kernels/base/utf8.h"
#include "kernels/device/cpu_device.h"
#include "model/adversary.h"
#include "model/autoencoder.h"
#include "model/deepfacelab_places.h"
#include "model/trained.h"

#include <set>

namespace bifrons::model {

namespace {

using Entry = Parameters::Entry;

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text;
    for (const std::int64_t side : shape) text += str(text.empty() ? "" : ",", side);
    return "[" + text + "]";
}

class Import {
  public:
    Import(const DflModel& model, const std::function<void(std::int64_t, std::int64_t)>& progress)
        : model_(model), progress_(progress), settings_(settings_from(model, made_.notes)),
          effect_(in_effect(settings_)), arch_(architecture_of(settings_)), places_(arch_, adversary_of(effect_).patch),
          net_(params_, arch_), adversary_(params_, arch_, adversary_of(effect_))
    {
    }

    ImportedModel run()
    {
        made_.settings = settings_;
        made_.step = model_.iterations;
        const kernels::StepState state{.seed = std::uint64_t(settings_.seed),
                                       .step = std::uint64_t(model_.iterations),
                                       .applied = std::uint64_t(model_.iterations)};
        for (const Parameters::Group& group : params_.groups()) take_group(group);
        tell(total());
        for (std::size_t i = 0; i < made_.tensors.size(); ++i) made_.tensors[i].data = made_.values[i].data();
        made_.metadata = checkpoint_metadata(settings_, state, params_, kernels::CpuDevice::usable_threads());
        return std::move(made_);
    }

  private:
    using Arrays = std::map<std::string, NamedTensor>;

    std::vector<const Entry*> entries_of(const Parameters::Group& group) const
    {
        std::vector<const Entry*> entries;
        for (const Entry& e : params_.entries())
            if (e.offset >= group.begin && e.offset < group.end) entries.push_back(&e);
        return entries;
    }

    /// Weights and moments.
    void take_group(const Parameters::Group& group)
    {
        const std::vector<const Entry*> entries = entries_of(group);
        const std::string file = places_(*entries.front()).file;
        if (&group != &params_.groups().front() && !model_.arrays(file)) {
            made_.notes.push_back(str(model_.file(file), ": is missing; the ", group.name, " starts with new weights"));
            return;
        }
        for (const Entry* e : entries) take_weights(*e);
        refuse_unused(entries);
        take_moments(group, entries);
    }

    void take_weights(const Entry& e)
    {
        const DflPlace place = places_(e);
        const Arrays* const arrays = model_.arrays(place.file);
        BIFRONS_CHECK(data, arrays, model_.file(place.file), ": is missing; a model of ", network(), " has it");
        std::vector<const NamedTensor*> parts;
        for (const std::string& name : place.names) {
            const auto found = arrays->find(name + ":0");
            BIFRONS_CHECK(data, found != arrays->end(), model_.file(place.file), ": has no \"", name, "\", which ",
                          network(), " has. It belongs to another network than ", model_.path, "data.dat.");
            const std::vector<std::int64_t> expected = their_shape(e.shape, place.names.size());
            BIFRONS_CHECK(data, found->second.shape == expected, model_.file(place.file), ": \"", name,
                          "\" has the shape ", shape_text(found->second.shape), "; expected ", shape_text(expected),
                          " for ", network(), ". It belongs to another network than ", model_.path, "data.dat.");
            parts.push_back(&found->second);
        }
        add("", e, place, parts, 1);
        made_.parameters += e.shape.size();
    }

    /// What a block has beside what this network wants would be missing in what it shows.
    void refuse_unused(const std::vector<const Entry*>& entries) const
    {
        std::map<std::string, std::set<std::string>> used; // by file
        for (const Entry* e : entries) {
            const DflPlace place = places_(*e);
            for (const std::string& name : place.names) used[place.file].insert(name + ":0");
        }
        for (const auto& [file, names] : used)
            for (const auto& [name, array] : *model_.arrays(file))
                BIFRONS_CHECK(data, names.count(name), model_.file(file), ": has \"", printable(name), "\", which ",
                              network(), " has not. It belongs to another network than ", model_.path, "data.dat.");
    }

    void take_moments(const Parameters::Group& group, const std::vector<const Entry*>& entries)
    {
        const kernels::UpdateRule rule = optimizer_of(settings_).update.rule;
        const bool has_mean = kernels::keeps_mean(rule);
        const float share = 1 / float(settings_.batch_size);
        struct Moment {
            const char *ours, *theirs;
            float scale;
        };
        std::vector<Moment> moments = {{"v.", has_mean ? "vs_" : "acc_", share * share}};
        if (has_mean) moments.insert(moments.begin(), {"m.", "ms_", share});

        const std::string file = places_(*entries.front()).optimizer;
        const Arrays* const arrays = model_.arrays(file);
        const auto skip = [&](const std::string& why) {
            made_.notes.push_back(
                str(model_.file(file), ": ", why, "; the optimizer of the ", group.name, " starts with new moments"));
        };
        if (!arrays) return skip("is missing");
        std::vector<std::vector<const NamedTensor*>> parts;
        for (const Moment& moment : moments)
            for (const Entry* e : entries) {
                const DflPlace place = places_(*e);
                parts.emplace_back();
                for (const std::string& name : place.names) {
                    const auto found = arrays->find(str(moment.theirs, place.scope, "/", name, "_0:0"));
                    if (found == arrays->end()) return skip(str("has no ", moment.theirs, place.scope, "/", name));
                    if (found->second.shape != their_shape(e->shape, place.names.size()))
                        return skip(str(moment.theirs, place.scope, "/", name, " has the shape ",
                                        shape_text(found->second.shape), "; expected ",
                                        shape_text(their_shape(e->shape, place.names.size()))));
                    parts.back().push_back(&found->second);
                }
            }
        auto part = parts.begin();
        for (const Moment& moment : moments)
            for (const Entry* e : entries)
                add(moments_prefix(rule) + moment.ours, *e, places_(*e), *part++, moment.scale);
    }

    /// The parameter's values, of one array or several side by side.
    void add(const std::string& prefix, const Entry& e, const DflPlace& place,
             const std::vector<const NamedTensor*>& parts, float scale)
    {
        tell(std::int64_t(made_.tensors.size()));
        std::vector<float> values(std::size_t(e.shape.size()));
        float* to = values.data();
        for (const NamedTensor* part : parts) {
            BIFRONS_CHECK(data, from_theirs(*part, place, scale, to),
                          model_.file(prefix.empty() ? place.file : place.optimizer), ": \"", printable(part->name),
                          "\" has values that are not finite: the model has collapsed. Import a backup.");
            to += part->size();
        }
        std::vector<std::int64_t> shape;
        for (int i = 0; i < e.shape.rank(); ++i) shape.push_back(e.shape[i]);
        made_.tensors.push_back({prefix + e.name, DType::f32, shape, nullptr});
        made_.values.push_back(std::move(values));
    }

    /// Weights and moments.
    std::int64_t total() const
    {
        const bool has_mean = kernels::keeps_mean(optimizer_of(settings_).update.rule);
        return std::int64_t(params_.entries().size()) * (has_mean ? 3 : 2);
    }
    void tell(std::int64_t done) const
    {
        if (progress_) progress_(done, total());
    }

    std::string network() const
    {
        return str(arch_.name(), " of ", arch_.resolution, " px with ae_dims ", arch_.ae_dims, ", e_dims ",
                   arch_.e_dims, ", d_dims ", arch_.d_dims, ", d_mask_dims ", arch_.d_mask_dims);
    }

    const DflModel& model_;
    const std::function<void(std::int64_t, std::int64_t)>& progress_;
    ImportedModel made_;
    const Settings settings_, effect_;
    const Architecture arch_;
    const DflPlaces places_;
    Parameters params_;
    const Autoencoder net_;
    const Adversary adversary_;
};

} // namespace

ImportedModel import_model(const DflModel& model,
                           const std::function<void(std::int64_t done, std::int64_t of)>& progress)
{
    return Import(model, progress).run();
}

} // namespace bifrons::model
