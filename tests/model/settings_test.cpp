#include "model/wanted_settings.h"

#include "kernels/base/error.h"
#include "kernels/base/onednn.h"
#include "model/adversary.h"
#include "tests/support/temp_folder.h"

#include <functional>

using namespace bifrons;
using namespace bifrons::model;
using namespace bifrons::test;

namespace {

/// What `work` throws, which must be of this kind.
std::string complaint(ErrorKind kind, const std::function<void()>& work)
{
    try {
        work();
    } catch (const Error& e) {
        EXPECT_EQ(int(e.kind()), int(kind)) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
}

std::string complaint_about(const std::string& assignment)
{
    return complaint(ErrorKind::usage, [&] {
        Settings s;
        apply_assignment(s, assignment);
    });
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Settings, defaults_are_deep_face_labs_and_legal)
{
    const Settings s;
    EXPECT_NO_THROW(check(s));
    EXPECT_EQ(s.archi, "liae-ud");
    EXPECT_EQ(s.optimizer, "adabelief_dfl");
    EXPECT_EQ(s.resolution, 128);
    EXPECT_EQ(s.ae_dims, 256);
    EXPECT_EQ(s.e_dims, 64);
    EXPECT_EQ(s.d_dims, 64);
    EXPECT_EQ(s.d_mask_dims, 22);
    EXPECT_EQ(s.learning_rate, 5e-5);
    EXPECT_EQ(s.mse_weight, 10);
    EXPECT_EQ(s.dssim_weight, 10);
    EXPECT_FALSE(s.random_src_flip);
    EXPECT_TRUE(s.random_dst_flip);
}

TEST(Settings, name_the_network_that_the_model_builds)
{
    for (const char* name : {"df", "df-u", "df-d", "df-t", "df-c", "df-udtc", "liae", "liae-ud"}) {
        Settings s;
        apply_assignment(s, std::string("archi=") + name);
        EXPECT_EQ(architecture_of(s).name(), name);
    }
    Settings s;
    for (const char* a : {"resolution=64", "ae_dims=10", "e_dims=12", "d_dims=14", "d_mask_dims=18",
                          "downsample=maxpool", "upsample=transposed"})
        apply_assignment(s, a);
    const Architecture a = architecture_of(s);
    EXPECT_EQ(a.resolution, 64);
    EXPECT_EQ(a.ae_dims, 10);
    EXPECT_EQ(a.e_dims, 12);
    EXPECT_EQ(a.d_dims, 14);
    EXPECT_EQ(a.d_mask_dims, 18);
    EXPECT_EQ(a.downsample, Downsample::maxpool);
    EXPECT_EQ(a.upsample, Upsample::transposed);
    const Architecture untouched = architecture_of(Settings{});
    EXPECT_EQ(untouched.upsample, Upsample::subpixel);
    EXPECT_EQ(untouched.downsample, Downsample::strided);
}

TEST(Settings, every_default_is_in_its_own_range_and_every_row_says_what_it_is)
{
    for (const SettingHelp& row : list_settings()) {
        std::string value = row.initial;
        if (value.front() == '"') value = value.substr(1, value.size() - 2);
        Settings s;
        EXPECT_NO_THROW(apply_assignment(s, row.name + "=" + value));
        EXPECT_EQ(s, Settings{}) << row.name;
        EXPECT_GT(row.help.size(), 10u) << row.name;
        EXPECT_FALSE(row.range.empty()) << row.name;
    }
}

TEST(Settings, an_assignment_sets_each_kind)
{
    Settings s;
    apply_assignment(s, "resolution=256");
    apply_assignment(s, "learning_rate=1e-4");
    apply_assignment(s, "clipgrad=1");
    apply_assignment(s, "masked_training=false");
    apply_assignment(s, "archi=df-ut");
    EXPECT_EQ(s.resolution, 256);
    EXPECT_EQ(s.learning_rate, 1e-4);
    EXPECT_EQ(s.clipgrad, 1.0);
    EXPECT_FALSE(s.masked_training);
    EXPECT_EQ(s.archi, "df-ut");
    apply_assignment(s, "perceptual_file=/a folder/vgg=16.safetensors");
    EXPECT_EQ(s.perceptual_file, "/a folder/vgg=16.safetensors") << "any text";
}

TEST(Settings, a_wrong_assignment_says_what_is_expected)
{
    EXPECT_SAYS(complaint_about("learning_rat=1"), "unknown setting \"learning_rat\"; did you mean \"learning_rate\"?");
    EXPECT_SAYS(complaint_about("zzz=1"), "unknown setting \"zzz\". `bifrons");
    EXPECT_SAYS(complaint_about("resolution"), "; expected key=value");
    EXPECT_SAYS(complaint_about("=5"), "; expected key=value");
    EXPECT_SAYS(complaint_about("resolution=16"), "resolution is 16; expected a whole number in 32..640");
    EXPECT_SAYS(complaint_about("resolution=128.5"), "a whole number in 32..640");
    EXPECT_SAYS(complaint_about("resolution="), "\"\"; expected a whole number");
    EXPECT_SAYS(complaint_about("resolution=128px"), "\"128px\"; expected a whole number");
    EXPECT_SAYS(complaint_about("resolution=true"), "is true; expected a whole number");
    EXPECT_SAYS(complaint_about("resolution=99999999999999999999"), "a whole number in 32..640");
    EXPECT_SAYS(complaint_about("learning_rate=nan"), "a number in 0..1");
    EXPECT_SAYS(complaint_about("learning_rate=inf"), "a number in 0..1");
    EXPECT_SAYS(complaint_about("random_hsv_power=-0.1"), "is -0.1; expected a number in 0..0.3");
    EXPECT_SAYS(complaint_about("random_warp=1"), "is 1; expected true | false");
    EXPECT_SAYS(complaint_about("downsample=pool"), "is \"pool\"; expected strided | maxpool");
    EXPECT_SAYS(complaint_about("archi=df-du"), "df-ud");
    EXPECT_SAYS(complaint_about("archi=lia-ud"), "\"lia-ud\"");
}

TEST(Settings, a_toml_file_sets_what_it_names)
{
    TempFolder folder;
    write_bytes(folder / "s.toml",
                "# m\xC3\xADne '\nresolution = 64\nlearning_rate = 5e-4\nclipgrad = 1\nrandom_warp = false\n"
                "upsample = \"nearest\"\nperceptual_file = '/home/m\xC3\xADne'\n");
    Settings s, expected;
    expected.perceptual_file = "/home/m\xC3\xADne";
    expected.resolution = 64;
    expected.learning_rate = 5e-4;
    expected.clipgrad = 1;
    expected.random_warp = false;
    expected.upsample = "nearest";
    apply_toml_file(s, folder / "s.toml");
    EXPECT_EQ(s, expected);
}

TEST(Settings, a_wrong_toml_file_names_file_and_line)
{
    TempFolder folder;
    const auto says = [&](ErrorKind kind, const std::string& text, const std::string& part) {
        write_bytes(folder / "s.toml", text);
        EXPECT_SAYS(complaint(kind,
                              [&] {
                                  Settings s;
                                  apply_toml_file(s, folder / "s.toml");
                              }),
                    part);
    };
    says(ErrorKind::usage, "seed = 1\nbatchsize = 4\n", "s.toml:2: unknown setting \"batchsize\"; did you mean");
    says(ErrorKind::usage, "\nresolution = 8\n", "s.toml:2: resolution is 8; expected a whole number in 32..640");
    says(ErrorKind::usage, "resolution = \"big\"\n", "s.toml:1: resolution is \"big\"");
    says(ErrorKind::usage, "resolution = [1, 2]\n", "s.toml:1: resolution is not a number");
    says(ErrorKind::usage, "[network]\nresolution = 64\n", "unknown setting \"network\"");
    says(ErrorKind::data, "seed = 1\nresolution = \n", "s.toml:2: ");
    says(ErrorKind::data, std::string("\0\0\0", 3), "is a binary file");
    says(ErrorKind::data, "\xff\xfe", "s.toml:1: is not UTF-8");
    says(ErrorKind::data, "\x98\xd0\x8c\x65\x02", "s.toml:1: is not UTF-8");
    says(ErrorKind::data, "seed = 1\n\xC3\xA9 = 1\n", "s.toml:2: has a letter beyond ASCII");
    says(ErrorKind::data, "freeze = \"\\\"\" \xC3\xA9", "s.toml:1: has a letter beyond ASCII");
    says(ErrorKind::data, "freeze = \"\"\"\\ \xC3\xA9\"\"\"\n", "s.toml:1: a text begins with three quotes");
    says(ErrorKind::data, "seed = 15\"/home/\xC3\xA9\"", "s.toml:1: has a quote where no text can begin");
    says(ErrorKind::data, "seed = 1!97=\"\xCB\x9D", "s.toml:1: has a quote where no text can begin");
    says(ErrorKind::data, "[[[[ra", "s.toml:1: has brackets in brackets");
    says(ErrorKind::usage, "freeze = \"a\\u0000b\"\n", "s.toml:1: freeze is a text with control characters");
    says(ErrorKind::data, std::string((1 << 20) + 1, ' '), "has more than 1048576 bytes");
    EXPECT_SAYS(complaint(ErrorKind::data,
                          [&] {
                              Settings s;
                              apply_toml_file(s, folder / "absent");
                          }),
                "cannot be read");
    EXPECT_SAYS(complaint(ErrorKind::data,
                          [&] {
                              Settings s;
                              apply_toml_file(s, folder.path());
                          }),
                "cannot be read");
}

TEST(Settings, json_brings_back_every_setting)
{
    Settings s;
    s.archi = "df-udtc";
    s.resolution = 224;
    s.seed = 9007199254740991;
    s.learning_rate = 0.1 + 0.2; // no short decimal
    s.random_warp = false;
    s.threads = 7;
    EXPECT_EQ(from_json(to_json(s), "test"), s);
    EXPECT_EQ(from_json("{}", "test"), Settings{});
}

TEST(Settings, damaged_json_or_that_of_another_version_is_refused)
{
    const auto from = [](const std::string& text) {
        return complaint(ErrorKind::data, [&] { from_json(text, "step-5"); });
    };
    EXPECT_SAYS(from("{"), "step-5: its settings are not a JSON object");
    EXPECT_SAYS(from("[]"), "not a JSON object");
    EXPECT_SAYS(from(R"({"warp_drive":1})"), "another version");
    EXPECT_SAYS(from(R"({"resolution":"x"})"), "step-5: resolution is");
    EXPECT_SAYS(from(R"({"resolution":null})"), "resolution is null");
}

TEST(Settings, adversaries_that_do_not_fit_the_network_are_refused)
{
    const auto refuses = [](const std::vector<std::string>& assignments) {
        return complaint(ErrorKind::usage, [&] {
            Settings s;
            for (const std::string& assignment : assignments) apply_assignment(s, assignment);
            check(s);
        });
    };
    EXPECT_SAYS(refuses({"gan_power=0.1", "gan_patch_size=129"}), "the pictures are 128 px; expected a size in 3..128");
    EXPECT_SAYS(refuses({"gan_patch_size=129"}), "Set gan_patch_size=16");
    EXPECT_SAYS(refuses({"gan_power=0.1", "gan_patch_size=2"}), "gan_patch_size is 2");
    EXPECT_SAYS(refuses({"gan_power=0.1", "gan_patch_size=80", "archi=df", "resolution=80"}),
                "80 px is not a multiple of 32. Set gan_patch_size=");
    EXPECT_SAYS(refuses({"true_face_power=0.01", "archi=liae-ud"}), "Set true_face_power=0 or archi=df-ud.");
    EXPECT_SAYS(refuses({"gan_power=6"}), "a number in 0..5");
    EXPECT_SAYS(refuses({"gan_dims=3"}), "4..512");
}

TEST(Settings, every_default_patch_has_a_discriminator)
{
    for (int resolution = 32; resolution <= 640; resolution += 16) {
        Settings s;
        s.archi = "df", s.gan_power = 0.1, s.resolution = resolution;
        EXPECT_NO_THROW(check(s)) << resolution;
    }
}

TEST(Settings, a_default_patch_is_DeepFaceLabs_where_its_network_can_be_built)
{
    Settings s;
    EXPECT_EQ(adversary_of(s).patch, 16);
    s.resolution = 224;
    EXPECT_EQ(adversary_of(s).patch, 28);
    s.resolution = 496; // 62 wants five halvings, which 16 * 31 px do not have
    EXPECT_NE(adversary_of(s).patch, 62);
}

TEST(Settings, name_the_adversary)
{
    Settings s;
    for (const char* a : {"gan_power=0.25", "discriminator=fc", "gan_patch_size=12", "gan_dims=8", "gan_loss=hinge",
                          "true_face_power=0.5"})
        apply_assignment(s, a);
    const AdversaryOptions o = adversary_of(s);
    EXPECT_EQ(o.kind, AdversaryOptions::Kind::fc);
    EXPECT_EQ(o.loss, AdversaryOptions::Loss::hinge);
    EXPECT_EQ(o.gan_power, 0.25f);
    EXPECT_EQ(o.true_face_power, 0.5f);
    EXPECT_EQ(o.patch, 12);
    EXPECT_EQ(o.dims, 8);
    apply_assignment(s, "gan_loss=least_squares");
    EXPECT_EQ(adversary_of(s).loss, AdversaryOptions::Loss::least_squares);
    EXPECT_EQ(adversary_of(Settings{}).loss, AdversaryOptions::Loss::bce);
    EXPECT_EQ(adversary_of(Settings{}).kind, AdversaryOptions::Kind::patch);
}

TEST(Settings, rules_between_settings)
{
    const auto legal = [](std::int64_t resolution, const char* architecture) {
        Settings s;
        s.resolution = resolution;
        s.archi = architecture;
        check(s);
    };
    EXPECT_NO_THROW(legal(112, "df-u"));
    EXPECT_NO_THROW(legal(96, "df-udt"));
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { legal(112, "df-d"); }),
                "expected a multiple of 32 in 32..640 for df-d");
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { legal(112, "df-t"); }), "The nearest is 128");
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { legal(100, "df"); }), "The nearest is 96");
    Settings odd;
    odd.e_dims = 33;
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { check(odd); }), "e_dims is 33; expected an even number");
    Settings thirds;
    thirds.perceptual_downscale = 3;
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { check(thirds); }),
                "does not divide resolution 128; expected a divisor");
    thirds.resolution = 96;
    EXPECT_NO_THROW(check(thirds));
    Settings blind;
    blind.mse_weight = blind.dssim_weight = 0;
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { check(blind); }), "mse_weight and dssim_weight");
}

TEST(Settings, resuming_may_change_the_training_but_not_the_network)
{
    const Settings made;
    Settings wanted;
    wanted.learning_rate = 1e-4;
    wanted.batch_size = 4;
    wanted.random_warp = false;
    EXPECT_NO_THROW(check_resume(made, wanted));
    wanted.resolution = 256;
    wanted.upsample = "nearest";
    const std::string text = complaint(ErrorKind::usage, [&] { check_resume(made, wanted); });
    EXPECT_SAYS(text, "resolution 128 -> 256");
    EXPECT_SAYS(text, "upsample \"subpixel\" -> \"nearest\"");
    EXPECT_EQ(text.find("batch_size"), std::string::npos) << text;
}

TEST(Settings, without_effect_are_refused)
{
    const auto refuses = [](const std::vector<std::string>& assignments, const std::optional<Settings>& made = {},
                            const std::string& config = "") {
        return complaint(ErrorKind::usage,
                         [&] { wanted_settings(made, {.config = config, .assignments = assignments}); });
    };
    EXPECT_SAYS(
        refuses({"weight_decay=0.05"}),
        "weight_decay is 0.05, which has no effect while optimizer is \"adabelief_dfl\". Set optimizer=adamw, remove "
        "weight_decay, or set optimizer=\"adabelief_dfl\" explicitly to keep it unused.");
    EXPECT_SAYS(refuses({"weight_decay=0.01"}), "Set optimizer=adamw"); // its initial value
    EXPECT_SAYS(refuses({"lr_floor=0.1"}), "Set lr_schedule=cosine");
    EXPECT_SAYS(refuses({"lr_decay_steps=5"}), "Set lr_schedule=cosine");
    Settings made; // what it holds is named by nobody now
    made.optimizer = "rmsprop", made.discriminator = "fc", made.perceptual_file = "vgg.safetensors";
    for (const std::optional<Settings>& model : {std::optional<Settings>(), std::optional(made)}) {
        for (const char* of_gan : {"gan_patch_size=16", "gan_dims=32", "gan_dims=16", "discriminator=fc",
                                   "gan_loss=hinge", "gan_update=alternating"})
            EXPECT_SAYS(refuses({of_gan}, model), "Set gan_power=0.1, remove ");
        for (const char* perceptual :
             {"perceptual_file=vgg.safetensors", "perceptual_taps=relu1_2", "perceptual_downscale=2"})
            EXPECT_SAYS(refuses({perceptual, "gan_power=0"}, model), "Set perceptual_weight=1");
    }
    EXPECT_SAYS(refuses({"beta1=0.5"}, made), "beta1 is 0.5, which has no effect while optimizer is \"rmsprop\"");
    EXPECT_SAYS(refuses({"gan_patch_size=16", "gan_power=0.1"}, made), "Set discriminator=patch");
    TempFolder folder;
    write_bytes(folder / "off.toml", "optimizer = \"adam\"\ngan_power = 0\n");
    EXPECT_SAYS(refuses({"weight_decay=0.1"}, {}, folder / "off.toml"), "while optimizer is \"adam\"");
    EXPECT_SAYS(refuses({"gan_dims=32"}, made, folder / "off.toml"), "Set gan_power=0.1");
}

TEST(Settings, that_are_unused_for_a_reason_are_not_refused)
{
    TempFolder folder;
    const auto takes = [&](const std::optional<Settings>& made, const std::string& config,
                           const std::vector<std::string>& assignments = {}) {
        write_bytes(folder / "s.toml", config);
        EXPECT_NO_THROW(wanted_settings(made, {.config = folder / "s.toml", .assignments = assignments})) << config;
    };
    Settings idle; // a model whose settings lie idle
    idle.optimizer = "rmsprop", idle.weight_decay = 0.05, idle.beta1 = 0.7, idle.lr_floor = 0.1;
    idle.discriminator = "fc", idle.gan_patch_size = 16, idle.gan_dims = 32, idle.gan_loss = "hinge";
    idle.perceptual_file = "vgg.safetensors", idle.perceptual_downscale = 2;
    takes(idle, "");
    std::string all; // the whole listing, as someone keeps it in a file
    for (const SettingHelp& row : list_settings()) all += row.name + " = " + row.initial + "\n";
    takes({}, all);
    takes(idle, all, {"optimizer=rmsprop", "lr_schedule=constant", "gan_power=0"});

    for (const std::optional<Settings>& made : {std::optional<Settings>(), std::optional(idle)}) {
        takes(made, "gan_power = 0\ngan_dims = 16\ngan_patch_size = 16\ngan_loss = \"hinge\"\n");
        takes(made, "perceptual_weight = 0\nperceptual_file = \"vgg.safetensors\"\nperceptual_downscale = 2\n");
        takes(made, "lr_schedule = \"constant\"\nlr_floor = 0.1\nlr_decay_steps = 5\n");
        takes(made, "optimizer = \"adam\"\nweight_decay = 0.01\n");
        takes(made, "optimizer = \"rmsprop\"\nbeta1 = 0.5\n");
        takes(made, "gan_power = 0.1\ndiscriminator = \"fc\"\ngan_patch_size = 16\n");
        takes(made, "", {"weight_decay=0.01", "optimizer=adam"});
        takes(made, "optimizer = \"adamw\"\nweight_decay = 0.05\n", {"optimizer=rmsprop"});
        takes(made, "true_face_power = 0.01\ngan_loss = \"hinge\"\n", {"true_face_power=0"});
    }
    takes({}, "archi = \"df-ud\"\ngan_loss = \"hinge\"\ntrue_face_power = 0.01\n");
}

TEST(Settings, precision_follows_the_device)
{
    const kernels::Target cpu{.kind = kernels::DeviceKind::cpu}, gpu{.kind = kernels::DeviceKind::cuda, .sm = 90};
    Settings s;
    bool bf16 = false;
#if defined(__x86_64__)
    const bool amd = __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512bf16");
    bf16 = kernels::onednn_available() && (amd || __builtin_cpu_supports("amx-bf16"));
#endif
    EXPECT_EQ(int(precision_of(s, cpu)), int(bf16 ? Precision::bf16 : Precision::f32));
    EXPECT_EQ(int(precision_of(s, gpu)), int(Precision::bf16));
    s.precision = "tf32";
    EXPECT_EQ(int(precision_of(s, gpu)), int(Precision::tf32));
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { precision_of(s, cpu); }), "Use auto, f32 or bf16");
    s.precision = "bf16";
    EXPECT_EQ(int(precision_of(s, cpu)), int(Precision::bf16)) << "slowly, but where it is asked for";
    s.precision = "f32";
    EXPECT_EQ(int(precision_of(s, gpu)), int(Precision::f32));
}

TEST(Settings, that_would_learn_nothing_are_refused)
{
    Settings s;
    s.eps = 0;
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { check(s); }), "eps is 0");
    s = {};
    s.perceptual_taps = "relu1_2:0,relu2_2:0";
    EXPECT_SAYS(complaint(ErrorKind::usage, [&] { check(s); }), "all 0");
}

} // namespace
