// Training with everything at once, from facesets: liae-ud and df-ud with DSSIM, squared error, mask, eyes and mouth,
// the real VGG-16 where it is at hand, a patch discriminator, styles, and for df true face; accumulated, with learning
// rate dropout, clipping and averaged weights; samples recoloured, jittered and smoothed outside of the face. On every
// device: each loss counts, losses and gradients are the double network's, and it repeats and resumes to the bit.
#include "tests/data/folder.h"
#include "tests/model/narrow_batch.h"
#include "tests/support/devices.h"
#include "tests/support/feature_files.h"
#include "tests/tools/made_inputs.h"
#include "tools/training_data.h"

#include <numeric>

using namespace bifrons;
using namespace bifrons::test;
using model::Settings;

namespace {

struct Case {
    std::string archi, device;
};
void PrintTo(const Case& c, std::ostream* out)
{
    *out << c.archi << " on " << c.device;
}

/// Facesets of two identities and the feature network, made once.
struct Inputs {
    Inputs()
    {
        make_faceset(folder / "src", 20, 8);
        make_faceset(folder / "dst", 90, 8);
        const std::filesystem::path genuine = assets() / "backbones/vgg16_conv1_1-conv2_2.safetensors";
        if (std::filesystem::exists(genuine))
            features = genuine;
        else
            vgg16(4).write(features);
    }
    Folder folder;
    std::string features = folder / "vgg16";
};
const Inputs& inputs()
{
    static const Inputs made;
    return made;
}

Settings settings(const Case& c)
{
    Settings s;
    s.archi = c.archi;
    s.resolution = 32;
    s.e_dims = s.d_dims = s.d_mask_dims = 4;
    s.ae_dims = 8;
    s.validation_fraction = 0;
    s.precision = "f32";

    s.eyes_mouth_prio = true;
    s.perceptual_weight = 1;
    s.perceptual_file = inputs().features;
    if (c.device == "sim") s.perceptual_taps = "relu1_1"; // the other layers are a second's work each
    s.gan_power = 0.1, s.gan_patch_size = 7, s.gan_dims = 4;
    s.face_style_power = 1, s.bg_style_power = 2;
    if (c.archi == "df-ud") s.true_face_power = 0.01;

    s.batch_size = 1, s.accumulate = 2;
    s.learning_rate = 1e-3;
    s.lr_dropout = true;
    s.clipgrad = 1;
    s.ema = 0.9;

    s.ct_mode = "rct";
    s.random_src_flip = s.uniform_yaw = s.blur_out_mask = true;
    s.random_hsv_power = 0.05;
    model::check(s);
    return s;
}

/// What `bifrons train` trains with.
class Training {
  public:
    Training(const std::string& device, const Settings& s, DType dtype = DType::f32)
        : device_(device, 256), data_(device_.device(), s, data::load_faceset(inputs().folder / "src"),
                                      data::load_faceset(inputs().folder / "dst"), console_),
          source_(device_.device(), data_.training()), trainer_(device_.device(), s, source_, nullptr, dtype)
    {
    }
    model::Trainer* operator->() { return &trainer_; }
    std::vector<double> weights() { return download(trainer_.parameters().weights()); }
    std::vector<double> averaged() { return download(trainer_.optimizer().average()); }
    void set_weights(const std::vector<double>& values)
    {
        trainer_.parameters().weights().upload(trainer_.exec(), values);
    }
    void run(int steps)
    {
        for (int i = 0; i < steps; ++i) trainer_.step();
    }
    /// After one step: each loss, then each parameter's gradient, by name.
    std::map<std::string, std::vector<double>> losses_and_gradients()
    {
        run(1);
        std::map<std::string, std::vector<double>> all;
        const model::StepReport report = trainer_.report();
        for (std::size_t i = 0; i < report.names.size(); ++i) all["loss " + report.names[i]] = {report.values[i]};
        for (std::size_t i = 0; i < trainer_.parameters().entries().size(); ++i)
            all[trainer_.parameters().entries()[i].name] = download(trainer_.parameters().grad(int(i)));
        return all;
    }

  private:
    struct Widened : BatchSource {
        Widened(kernels::Device& device, BatchSource& drawn) : narrow(device), source(drawn) {}
        void enqueue(kernels::Exec ex, const kernels::StepState* state, Batch& batch) override
        {
            narrow(ex, batch, [&](Batch& b) { source.enqueue(ex, state, b); });
        }
        NarrowBatch narrow;
        BatchSource& source;
    };
    std::vector<double> download(const Tensor& t) { return t.download<double>(trainer_.exec()); }

    TestDevice device_;
    tools::Console console_;
    tools::TrainingData data_;
    Widened source_;
    model::Trainer trainer_;
};

std::vector<std::string> names_of(const std::string& archi)
{
    std::vector<std::string> names;
    for (const std::string side : {"src_", "dst_"})
        for (const std::string loss : {"dssim", "mse", "eyes_mouth", "perceptual", "mask"})
            names.push_back(side + loss);
    names.insert(names.end(), {"swap_style", "swap_bg_style", "src_gan"});
    if (archi == "df-ud") names.push_back("src_true_face");
    names.insert(names.end(), {"src_variation", "src_background", "d_gan"});
    if (archi == "df-ud") names.push_back("d_code");
    names.push_back("total");
    return names;
}

class WholeConfiguration : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override
    {
        if (const std::string why = absent(GetParam().device); !why.empty()) GTEST_SKIP() << why;
    }
};

INSTANTIATE_TEST_SUITE_P(Networks, WholeConfiguration,
                         ::testing::Values(Case{"liae-ud", "cpu"}, Case{"liae-ud", "sim"}, Case{"liae-ud", "cuda"},
                                           Case{"df-ud", "cpu"}, Case{"df-ud", "sim"}, Case{"df-ud", "cuda"}),
                         [](const auto& test) {
                             return test.param.device + "_" + test.param.archi.substr(0, test.param.archi.find('-'));
                         });

double largest_difference(const std::vector<double>& a, const std::vector<double>& b)
{
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

/// Bounds as in tests/model/training_on_devices_test.cpp: four times what the cpu's f32 network does when every weight
/// is moved by 8 roundings, the most of eight runs, and 8 roundings of the value.
TEST_P(WholeConfiguration, every_loss_counts_and_gradients_are_the_double_networks)
{
    constexpr double kUnit = 0x1p-24;
    const Settings s = settings(GetParam());
    Training exact("cpu:1", s, DType::f64), ours(GetParam().device, s);
    const std::vector<double> weights = exact.weights();
    const auto want = exact.losses_and_gradients(), got = ours.losses_and_gradients();
    std::map<std::string, double> bounds;
    for (std::uint32_t run = 0; run < 8; ++run) {
        std::vector<double> moved = weights;
        const std::vector<double> sign = random_values<double>(std::int64_t(weights.size()), run);
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] *= 1 + (sign[i] > 0 ? 8 : -8) * kUnit;
        Training other("cpu:1", s);
        other.set_weights(moved);
        for (const auto& [name, values] : other.losses_and_gradients())
            bounds[name] = std::max(bounds[name], 4 * largest_difference(values, want.at(name)));
    }
    ASSERT_EQ(got.size(), want.size());
    std::size_t loose = 0; // behind an activation on its kink; says little
    for (const auto& [name, values] : want) {
        const double largest = largest_difference(values, std::vector<double>(values.size(), 0.0)),
                     bound = bounds[name] + 8 * kUnit * largest;
        EXPECT_GT(largest, 0) << name;
        EXPECT_TRUE(within(got.at(name), values, bound)) << name;
        loose += !(bound < 0.02 * largest);
    }
    EXPECT_LT(loose, want.size() / 4);
    const model::StepReport report = ours->report();
    EXPECT_EQ(report.names, names_of(GetParam().archi));
    EXPECT_FALSE(report.skipped);
}

void expect_resumes_to_the_bit(const std::string& device, const Settings& s)
{
    Training undisturbed(device, s), resumed(device, s);
    const Folder folder;
    CheckpointStore store(folder.path());
    undisturbed.run(1);
    undisturbed->save(store);
    const std::vector<double> saved = undisturbed.weights();
    undisturbed.run(1);
    resumed->restore(*store.latest([](const std::string& text) { ADD_FAILURE() << text; }),
                     [](const std::string& text) { ADD_FAILURE() << text; });
    EXPECT_EQ(resumed.weights(), saved);
    resumed.run(1);
    EXPECT_EQ(resumed->report().values, undisturbed->report().values);
    EXPECT_EQ(resumed.weights(), undisturbed.weights());
    EXPECT_EQ(resumed.averaged(), undisturbed.averaged());
    EXPECT_NE(resumed.weights(), saved) << "and it moves";
    EXPECT_NE(resumed.averaged(), resumed.weights());
}

TEST_P(WholeConfiguration, repeats_and_resumes_to_the_bit)
{
    expect_resumes_to_the_bit(GetParam().device, settings(GetParam()));
}

TEST(WholeConfiguration, repeats_and_resumes_to_the_bit_in_bf16)
{
    for (const char* archi : {"liae-ud", "df-ud"}) {
        Settings s = settings({archi, "cpu"});
        s.precision = "bf16";
        expect_resumes_to_the_bit("cpu", s);
    }
}

/// The mean over some steps of what the generator makes of both identities: dssim ... mask.
double reconstruction(Training& t, int steps)
{
    double sum = 0;
    for (int i = 0; i < steps; ++i) {
        t.run(1);
        const model::StepReport report = t->report();
        EXPECT_FALSE(report.skipped);
        sum = std::accumulate(report.values.begin(), report.values.begin() + 10, sum);
    }
    return sum / steps;
}

TEST(WholeConfiguration, learns)
{
    Training t("cpu", settings({"liae-ud", "cpu"}));
    const double first = reconstruction(t, 4);
    t.run(20);
    EXPECT_LT(reconstruction(t, 4), 0.75 * first);
}

} // namespace
