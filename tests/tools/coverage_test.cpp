// What `inspect` and `train` say of two facesets.
#include "tests/tools/run_program.h"
#include "tests/tools/train_command.h"
#include "tools/coverage_report.h"

using namespace bifrons;
using namespace bifrons::test;

namespace {

/// Of every trait the same.
data::Coverage coverage_of(const std::vector<double>& values)
{
    data::Coverage coverage;
    coverage.values.fill(values);
    return coverage;
}

/// Its first lines.
std::string head(const std::string& text, int lines)
{
    std::size_t end = 0;
    for (int n = 0; n < lines; ++n) end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

TEST(CoverageReport, histograms_stand_side_by_side)
{
    std::vector<double> many(400, 12);
    many[0] = -5;
    const std::string text =
        tools::coverage_text({{"source", coverage_of({1, 2, 15})}, {"destination", coverage_of(many)}});
    EXPECT_EQ(head(text, 4), "what the faces show, % of them:\n"
                             "yaw (+ right), degrees     -10    0   10\n"
                             "  source                     .   67   33\n"
                             "  destination               <1    .  100\n");
    EXPECT_NE(text.find("eyes open, %                 0    5   10   15\n"), std::string::npos) << text;
}

TEST(CoverageReport, names_what_the_source_lacks)
{
    data::Coverage src = coverage_of({0}), dst = src;
    EXPECT_TRUE(tools::coverage_warnings(src, dst).empty());
    src.values[data::kYaw] = {-5, 5, 15, 28};
    dst.values[data::kYaw] = {-39, -30, 0, 10};
    dst.values[data::kLight] = {90};
    EXPECT_EQ(tools::coverage_warnings(src, dst),
              (std::vector<std::string>{
                  "50 % of the destination's faces have a yaw of -39 to -30 degrees, and no face of the source is near "
                  "(it has -5 to 28): they may come out poorly. Add footage in which the source looks there."}));
    src.values[data::kYaw] = {-5, 5, 15, 25, 35};
    EXPECT_NE(tools::coverage_warnings(src, dst).at(0).find("random_src_flip=true"), std::string::npos);
    dst.values[data::kYaw] = std::vector<double>(96, 0);
    dst.values[data::kYaw].insert(dst.values[data::kYaw].end(), 4, -39); // 4 %
    dst.values[data::kMouth] = {40};
    const std::vector<std::string> warnings = tools::coverage_warnings(src, dst);
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0].find("100 % of the destination's faces have a mouth opening of 40 to 40 %"), 0u);
}

TEST_F(TrainCommand, says_what_the_facesets_show_and_what_the_network_lacks)
{
    data::Faceset dst = data::load_faceset(folder_ / "dst");
    for (data::FaceRecord& face : dst.faces) face.pose.yaw -= 1;
    data::save_faceset(dst);
    ASSERT_EQ(train("model", "1"), 0) << log();
    EXPECT_EQ(count("100 % of the destination's faces have a yaw of "), 1) << log();
    EXPECT_EQ(count("yaw (+ right), degrees"), 1);
    EXPECT_EQ(count("px in their footage"), 0) << "20 px from brow to brow";

    const Result both = bifrons_run({"inspect", folder_ / "src", folder_ / "dst"});
    EXPECT_EQ(both.code, 0) << both.err;
    EXPECT_NE(both.out.find("  source       "), std::string::npos) << both.out;
    EXPECT_NE(both.out.find("half 20 px (64), midfull 24 px (64), full 32 px (64), whole_face 43 px (64)\n"),
              std::string::npos);
    EXPECT_NE(both.err.find("100 % of the destination's faces have a yaw of "), std::string::npos) << both.err;
    const Result plan =
        bifrons_run({"plan", "--preset", "cpu-fast", "--src", folder_ / "src", "--dst", folder_ / "dst"});
    EXPECT_EQ(plan.code, 0) << plan.err;
    EXPECT_NE((plan.out + plan.err).find("  source       "), std::string::npos) << plan.out << plan.err;
    EXPECT_NE(plan.err.find("100 % of the destination's faces have a yaw of "), std::string::npos) << plan.err;
    EXPECT_NE(plan.out.find("resolution 64 fits "), std::string::npos) << plan.out;
    EXPECT_NE(plan.out.find(" px in their footage (midfull); planned is 128\n"), std::string::npos) << plan.out;
    const Result one = bifrons_run({"inspect", folder_ / "src", "--json"});
    EXPECT_EQ(one.json()["coverage"]["light, %"]["counts"].size(), 10u) << one.out;
    EXPECT_EQ(one.out.find("warning"), std::string::npos);
}

TEST(CoverageReport, names_the_resolution_that_fits)
{
    data::Faceset set;
    set.faces.resize(1);
    set.faces[0].in_frame = mean_landmarks(430, 0, 0);
    EXPECT_EQ(tools::resolution_warning(set, data::FaceType::half, 215), std::nullopt);
    EXPECT_EQ(*tools::resolution_warning(set, data::FaceType::half, 64),
              "the destination's faces have 430 px in their footage (half), and the network makes 64: the swap will "
              "look blurred. A new model with resolution=256 fits them.");
}

} // namespace
