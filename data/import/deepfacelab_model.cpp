#include "data/import/deepfacelab_model.h"

#include "kernels/base/error.h"
#include "kernels/base/utf8.h"

#include <cmath>
#include <cstring>
#include <optional>

namespace bifrons::data {
namespace fs = std::filesystem;

namespace {

constexpr const char* kKinds[] = {"SAEHD", "Quick96", "AMP"};
constexpr const char* kExpected = "a file of a DeepFaceLab model";

/// The bytes, if they begin as a pickle does; numpy's own files have the same ending.
std::span<const std::uint8_t> pickled(const MappedFile& file, const std::string& name)
{
    static constexpr char kNumpy[] = "\x93NUMPY";
    const std::span<const std::uint8_t> bytes = file.bytes();
    const std::size_t length = sizeof kNumpy - 1;
    BIFRONS_CHECK(data, bytes.size() < length || std::memcmp(bytes.data(), kNumpy, length) != 0, name,
                  ": is an array that numpy.save wrote; expected ", kExpected);
    return bytes;
}

/// The model that a file of this name belongs to, if any.
std::optional<DflModelFiles> model_of(const fs::path& file)
{
    const std::string name = file.filename().string();
    if (file.extension() != ".npy" && file.extension() != ".dat") return {};
    for (const std::string kind : kKinds)
        if (const std::size_t at = name.rfind("_" + kind + "_"); at != std::string::npos && at > 0)
            return DflModelFiles{file.parent_path(), name.substr(0, at + 1 + kind.size()), kind};
    return {};
}

NamedTensor tensor_of(const std::string& key, const PickledArray& array, const std::string& file)
{
    BIFRONS_CHECK(data, array.bytes > 0, file, ": \"", printable(key), "\" is an array without numbers");
    BIFRONS_CHECK(data, array.kind == 'f' && array.bytes == sizeof(float) && !array.is_big_endian, file, ": \"",
                  printable(key), "\" has numbers of the type ", array.is_big_endian ? ">" : "", array.kind,
                  array.bytes, "; expected f4");
    return {key, DType::f32, array.shape, array.data.data()};
}

} // namespace

std::vector<DflModelFiles> dfl_models(const fs::path& folder)
{
    std::error_code fault;
    std::map<std::string, DflModelFiles> models;
    for (fs::directory_iterator i(folder, fault), end; !fault && i != end; i.increment(fault))
        if (const std::optional<DflModelFiles> model = model_of(i->path())) models.emplace(model->name, *model);
    BIFRONS_CHECK(data, !fault, folder.string(), ": cannot be read (", fault.message(), ")");
    std::vector<DflModelFiles> list;
    for (const auto& [name, model] : models) list.push_back(model);
    return list;
}

void check_saved_whole(const DflModelFiles& model)
{
    for (const fs::directory_entry& entry : fs::directory_iterator(model.folder)) {
        const std::string file = entry.path().filename().string();
        BIFRONS_CHECK(data, file.rfind(model.name + "_", 0) != 0 || entry.path().extension() != ".tmp",
                      entry.path().string(),
                      ": DeepFaceLab was interrupted while it saved the model, so its files may ",
                      "not belong together. Import a backup (", model.name, "_autobackups), or delete ", file,
                      " to import the model as it is.");
    }
}

DflModelData dfl_model_data(const fs::path& file)
{
    const std::string name = file.string();
    const MappedFile mapped(name, kExpected);
    const Pickle pickle(pickled(mapped, name), name);
    const PickledValue *const iterations = pickle.value().find("iter"), *const options = pickle.value().find("options");
    BIFRONS_CHECK(data, iterations && options && options->kind == PickledValue::Kind::dict, name,
                  ": has no iterations and options; expected the data of a DeepFaceLab model");
    const double count = iterations->number;
    BIFRONS_CHECK(data,
                  iterations->kind == PickledValue::Kind::number && count >= 0 && count <= 1e12 &&
                      count == std::floor(count),
                  name, ": its number of iterations is not a count");
    DflModelData data{.iterations = std::int64_t(count)};
    for (std::size_t i = 0; i + 1 < options->members.size(); i += 2) {
        const PickledValue &key = *options->members[i], &value = *options->members[i + 1];
        if (key.kind != PickledValue::Kind::text || value.kind == PickledValue::Kind::none) continue;
        if (value.kind == PickledValue::Kind::number)
            data.options[std::string(key.text)] = value.number;
        else
            data.options[std::string(key.text)] = std::string(value.text);
    }
    return data;
}

DflArrays::DflArrays(const fs::path& file)
    : file_(file.string(), kExpected), pickle_(pickled(file_, file.string()), file.string())
{
    const PickledValue& all = pickle_.value();
    BIFRONS_CHECK(data, all.kind == PickledValue::Kind::dict, file.string(), ": holds no arrays by name; expected ",
                  kExpected);
    for (std::size_t i = 0; i + 1 < all.members.size(); i += 2) {
        const PickledValue &key = *all.members[i], &value = *all.members[i + 1];
        if (value.kind == PickledValue::Kind::number) continue;
        BIFRONS_CHECK(data, key.kind == PickledValue::Kind::text && value.kind == PickledValue::Kind::array,
                      file.string(), ": holds something else than arrays by name; expected ", kExpected);
        const std::string name(key.text);
        arrays_.insert_or_assign(name, tensor_of(name, value.array, file.string()));
    }
}

} // namespace bifrons::data
