// tests/data/deepfacelab_model_test.cpp - the files of DeepFaceLab's models. tiny_SAEHD_data.dat and _inter.npy are
// as DeepFaceLab's own code wrote them, see make_dfl_models.py.
#include "data/import/deepfacelab_model.h"

#include "data/export/deepfacelab_model.h"
#include "data/file.h"
#include "kernels/base/error.h"
#include "tests/data/folder.h"
#include "tests/support/dfl_models.h"

namespace bifrons::data {
namespace {

using namespace bifrons::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

const fs::path kInter = BIFRONS_DFL_MODELS "/tiny_SAEHD_inter.npy", kData = BIFRONS_DFL_MODELS "/tiny_SAEHD_data.dat";

TEST(DflArraysWriter, writes_what_is_read)
{
    const Folder folder;
    const std::vector<float> values = {1, -2.5f, 3e-8f, 4, 5, 6};
    DflArraysWriter writer(folder / "x.npy");
    writer.add("iters:0", 1000);
    writer.add("a/weight:0", values, {2, 3});
    writer.add("a/bias:0", std::span(values).first(1), {1});
    EXPECT_FALSE(fs::exists(folder / "x.npy"));
    writer.finish();
    const DflArrays arrays(folder / "x.npy");
    ASSERT_EQ(arrays.by_name().size(), 2u);
    EXPECT_EQ(arrays.by_name().at("a/weight:0").shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(float_values(arrays.by_name().at("a/weight:0")), values);
    EXPECT_EQ(float_values(arrays.by_name().at("a/bias:0")), std::vector<float>{1});
}

TEST(DflModelData, is_read_as_it_was_written)
{
    const Folder folder;
    write_dfl_model_data(folder / "data.dat", 300,
                         {{"archi", "df"}, {"resolution", std::int64_t(128)}, {"gan_power", 0.1}, {"clipgrad", true}});
    const DflModelData data = dfl_model_data(folder / "data.dat");
    EXPECT_EQ(data.iterations, 300);
    const std::map<std::string, std::variant<double, std::string>> expected = {
        {"archi", "df"}, {"resolution", 128.0}, {"gan_power", 0.1}, {"clipgrad", 1.0}};
    EXPECT_EQ(data.options, expected);
    const std::vector<std::uint8_t> bytes = read_file(folder / "data.dat");
    const Pickle pickle(bytes, "data.dat");
    ASSERT_EQ(pickle.value().find("loss_history")->members.size(), 300u); // DeepFaceLab counts on one an iteration
    EXPECT_EQ(pickle.value().find("loss_history")->members[299]->members.size(), 2u);
}

TEST(DflArrays, are_those_that_DeepFaceLab_wrote)
{
    const DflArrays arrays(kInter);
    const std::vector<DflArray> expected = dfl_arrays("df-ud").at("inter");
    ASSERT_EQ(arrays.by_name().size(), expected.size());
    for (const DflArray& array : expected) {
        ASSERT_EQ(arrays.by_name().count(array.key), 1u) << array.key;
        const NamedTensor& tensor = arrays.by_name().at(array.key);
        EXPECT_EQ(tensor.shape, array.shape) << array.key;
        EXPECT_EQ(float_values(tensor), array.values) << array.key;
    }
}

TEST(DflModelData, is_what_DeepFaceLab_wrote)
{
    const DflModelData data = dfl_model_data(kData);
    EXPECT_EQ(data.iterations, 1000);
    const auto number = [&](const char* name) { return std::get<double>(data.options.at(name)); };
    const auto text = [&](const char* name) { return std::get<std::string>(data.options.at(name)); };
    EXPECT_EQ(text("archi"), "df-ud");
    EXPECT_EQ(text("face_type"), "wf");
    EXPECT_EQ(text("lr_dropout"), "y");
    EXPECT_EQ(number("resolution"), 64) << "a numpy.int64";
    EXPECT_EQ(number("gan_power"), 0.1) << "a numpy.float64";
    EXPECT_EQ(number("masked_training"), 1);
    EXPECT_EQ(number("uniform_yaw"), 0);
    EXPECT_EQ(data.options.size(), 31u);
}

/// A folder with those two files, under names of several models.
class DflFolder : public ::testing::Test {
  protected:
    std::string bytes(const fs::path& path) const
    {
        const std::vector<std::uint8_t> all = read_file(path);
        return {all.begin(), all.end()};
    }
    Folder folder_;
};

TEST_F(DflFolder, models_are_found_by_any_of_their_files)
{
    for (const char* name :
         {"b_SAEHD_data.dat", "b_SAEHD_encoder.npy", "a_SAEHD_inter.npy", "a_AMP_data.dat",
          "my_new one_Quick96_data.dat", "SAEHD_default_options.dat", "XSeg_data.dat", "b_SAEHD_summary.txt"})
        write_text(folder_ / name, "x");
    std::vector<std::string> names, kinds;
    for (const DflModelFiles& model : dfl_models(folder_.path())) {
        names.push_back(model.name);
        kinds.push_back(model.kind);
        EXPECT_EQ(model.file("data.dat"), folder_ / (model.name + "_data.dat"));
    }
    EXPECT_EQ(names, (std::vector<std::string>{"a_AMP", "a_SAEHD", "b_SAEHD", "my_new one_Quick96"}));
    EXPECT_EQ(kinds, (std::vector<std::string>{"AMP", "SAEHD", "SAEHD", "Quick96"}));
    EXPECT_TRUE(dfl_models(BIFRONS_DFL).empty()) << "a folder of faces";
    BIFRONS_EXPECT_ERROR(dfl_models(folder_ / "none"), data, "none: cannot be read");
}

TEST_F(DflFolder, a_save_that_was_interrupted_is_seen)
{
    write_text(folder_ / "a_SAEHD_data.dat", "x");
    write_text(folder_ / "b_SAEHD_data.dat", "x");
    write_text(folder_ / "b_SAEHD_inter.npy.tmp", "x");
    const std::vector<DflModelFiles> models = dfl_models(folder_.path());
    EXPECT_NO_THROW(check_saved_whole(models.at(0)));
    BIFRONS_EXPECT_ERROR(check_saved_whole(models.at(1)), data,
                         "b_SAEHD_inter.npy.tmp: DeepFaceLab was interrupted while it saved the model");
}

TEST_F(DflFolder, damaged_files_are_refused)
{
    const fs::path file = folder_ / "x.npy";
    for (const auto& read :
         {std::function([&] { DflArrays arrays(file); }), std::function([&] { dfl_model_data(file); })}) {
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: cannot be opened");
        write_text(file, "");
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: is empty; expected a file of a DeepFaceLab model");
        write_text(file, "\x93NUMPY\x01"s);
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: is an array that numpy.save wrote");
        write_text(file, std::string(100, '\0')); // as a power cut leaves it
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: damaged at byte 1 of its pickled values");
        write_text(file, "cos\nsystem\n(U\x04trueatR."s);
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: its pickled values need os.system, which may run a program");
        write_text(file, "]."); // a list
        BIFRONS_EXPECT_ERROR(read(), data, "x.npy: ");
        fs::remove(file);
    }
    const std::string inter = bytes(kInter), data = bytes(kData);
    for (const double share : {0.001, 0.1, 0.5, 0.999}) {
        write_text(file, inter.substr(0, std::size_t(double(inter.size()) * share)));
        BIFRONS_EXPECT_ERROR(DflArrays arrays(file), data, "it ends too early");
        write_text(file, data.substr(0, std::size_t(double(data.size()) * share)));
        BIFRONS_EXPECT_ERROR(dfl_model_data(file), data, "it ends too early");
    }
    BIFRONS_EXPECT_ERROR(DflArrays arrays(kData), data, "holds something else than arrays by name");
    BIFRONS_EXPECT_ERROR(dfl_model_data(kInter), data, "has no iterations and options");
    const std::size_t type = inter.find("f4");
    write_text(file, std::string(inter).replace(type, 2, "i4"));
    BIFRONS_EXPECT_ERROR(DflArrays arrays(file), data, "has numbers of the type i4; expected f4");
}

} // namespace
} // namespace bifrons::data
