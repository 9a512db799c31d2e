// tests/support/dfl_model_folder.h - a folder as DeepFaceLab saves a model in it: the values of dfl_models.h, pickled
// as Python and numpy do.
#pragma once

#include "tests/support/dfl_models.h"

#include <filesystem>

namespace bifrons::test {

/// Little-endian.
inline std::string pickled_bytes(std::uint64_t value, int n)
{
    std::string bytes;
    for (int i = 0; i < n; ++i) bytes += char(value >> (8 * i));
    return bytes;
}

inline std::string pickled(const std::string& text)
{
    return "X" + pickled_bytes(text.size(), 4) + text;
}

inline std::string pickled(double number)
{
    std::uint64_t bits = 0;
    std::copy_n(reinterpret_cast<const char*>(&number), sizeof bits, reinterpret_cast<char*>(&bits));
    std::string bytes = pickled_bytes(bits, 8);
    std::reverse(bytes.begin(), bytes.end());
    return "G" + bytes;
}

inline std::string pickled(const DflArray& array)
{
    std::string shape;
    for (const std::int64_t side : array.shape) shape += "J" + pickled_bytes(std::uint64_t(side), 4);
    const std::string values(reinterpret_cast<const char*>(array.values.data()), array.values.size() * sizeof(float));
    // _reconstruct(ndarray, (1,), b"b"), and its state: version, shape, dtype("f4", False, True), order, values
    return std::string("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x01\x85"
                       "C\x01"
                       "btR(K\x01(") +
           shape + "tcnumpy\ndtype\n(" + pickled("f4") + "\x89\x88tR(K\x03" + pickled("<") +
           "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x01tb\x89"
           "B" +
           pickled_bytes(values.size(), 4) + values + "tb";
}

/// A dict of values that are pickled already.
inline std::string pickled(const std::vector<std::pair<std::string, std::string>>& members)
{
    std::string text = "}(";
    for (const auto& [key, value] : members) text += pickled(key) + value;
    return text + "u";
}

inline void write_pickle(const std::filesystem::path& path, const std::string& value)
{
    std::ofstream(path, std::ios::binary) << "\x80\x04" << value << ".";
}

/// The recorded model of this architecture, as NAME_SAEHD.
inline void write_dfl_model(const std::filesystem::path& folder, const std::string& name, const std::string& archi)
{
    std::filesystem::create_directories(folder);
    const std::string begin = name + "_SAEHD_";
    for (const auto& [file, arrays] : dfl_arrays(archi)) {
        std::vector<std::pair<std::string, std::string>> members;
        if (file.find("_opt") != file.npos) members.emplace_back("iters:0", "M\xe8\x03");
        for (const DflArray& array : arrays) members.emplace_back(array.key, pickled(array));
        write_pickle(folder / (begin + file + ".npy"), pickled(members));
    }
    const std::string options = pickled({{"archi", pickled(archi)},
                                         {"resolution", pickled(double(kDflSide))},
                                         {"ae_dims", pickled(8)},
                                         {"e_dims", pickled(4)},
                                         {"d_dims", pickled(4)},
                                         {"d_mask_dims", pickled(6)},
                                         {"face_type", pickled("wf")},
                                         {"batch_size", pickled(4)},
                                         {"gan_power", pickled(0.1)},
                                         {"gan_patch_size", pickled(8)},
                                         {"gan_dims", pickled(4)},
                                         {"models_opt_on_gpu", "\x88"},
                                         {"true_face_power", pickled(archi[0] == 'd' ? 0.01 : 0)}});
    write_pickle(folder / (begin + "data.dat"), pickled({{"iter", "M\xe8\x03"}, {"options", options}}));
}

} // namespace bifrons::test
