// tests/tools/merge_settings_test.cpp - how faces are pasted, frame by frame, from the command line and from a file.
#include "tools/merge_settings.h"

#include "tests/data/folder.h"

#include <gtest/gtest.h>

namespace bifrons::tools {
namespace {

using test::Folder;

MergePlan plan_of(const std::string& toml, const std::vector<std::string>& given = {}, std::int64_t frames = 100)
{
    const Folder folder;
    test::write_text(folder / "merge.toml", toml);
    return MergePlan(given, folder / "merge.toml", frames);
}

TEST(MergePlan, without_anything_has_the_defaults)
{
    const MergePlan plan({}, "", 10);
    const data::MergeOptions defaults;
    EXPECT_EQ(plan.at(3).options.alpha, defaults.alpha);
    EXPECT_EQ(plan.at(3).options.erode_px, std::nullopt);
    EXPECT_TRUE(plan.at(3).choose_color);
}

TEST(MergePlan, the_command_line_overrides_the_file_and_ranges_override_both)
{
    const MergePlan plan = plan_of("alpha = 0.25\nerode = -6\nmask = \"hull\"\n"
                                   "[[frames]]\nfrom = 10\nto = 19\nopacity = 0.5\ncolor = \"mkl\"\n"
                                   "[[frames]]\nfrom = 30\nto = 30\nalpha = 0\n",
                                   {"--alpha=0.75"});
    for (const std::int64_t t : {0, 9, 20, 29, 31, 99}) {
        EXPECT_EQ(plan.at(t).options.alpha, 0.75) << t;
        EXPECT_EQ(plan.at(t).options.opacity, 1) << t;
        EXPECT_TRUE(plan.at(t).choose_color) << t;
    }
    for (const std::int64_t t : {10, 15, 19}) {
        EXPECT_EQ(plan.at(t).options.opacity, 0.5) << t;
        EXPECT_EQ(plan.at(t).options.alpha, 0.75) << t;
        EXPECT_EQ(plan.at(t).options.color, data::ColorKind::mkl) << t;
        EXPECT_FALSE(plan.at(t).choose_color) << t;
    }
    EXPECT_EQ(plan.at(30).options.alpha, 0);
    EXPECT_EQ(plan.at(30).options.erode_px, -6);
    EXPECT_EQ(plan.at(30).options.mask, data::MaskKind::hull);
}

TEST(MergePlan, sides_are_one_number_or_four)
{
    const Folder folder;
    const MergePlan plan = plan_of("erode = [4, 12.5, -3, 4]\nfeather = 8\n", {"--feather=1,2,3,4"});
    plan.save(folder / "saved.toml", data::Existing::keep);
    for (const MergePlan& p : {plan, MergePlan({}, folder / "saved.toml", 100)}) {
        EXPECT_EQ(p.at(0).options.erode_px, data::Sides(4, 12.5, -3, 4));
        EXPECT_EQ(p.at(0).options.feather_px, data::Sides(1, 2, 3, 4));
    }
    EXPECT_EQ(plan_of("feather = 8\n").at(0).options.feather_px, data::Sides(8));
    for (const char* bad : {"[4, 5]", "[1, 2, 3, 400]", "[1, 2, 3, \"x\"]", "\"1,,2,3\""})
        BIFRONS_EXPECT_ERROR(plan_of(str("erode = ", bad, "\n")), usage,
                             "expected one number in -100..100, or four with commas");
    BIFRONS_EXPECT_ERROR(plan_of("erode = []\n"), usage, "merge.toml:1: erode");
}

TEST(MergePlan, what_is_saved_gives_the_same_plan)
{
    const Folder folder;
    const MergePlan plan = plan_of("erode = -6\n[[frames]]\nfrom = 3\nto = 5\nblend = \"poisson\"\nshift-x = -2.5\n",
                                   {"--sharpen=0.8", "--color=rct"});
    plan.save(folder / "saved.toml", data::Existing::keep);
    const MergePlan again({}, folder / "saved.toml", 100);
    for (const std::int64_t t : {0, 4}) {
        EXPECT_EQ(again.at(t).options.erode_px, -6);
        EXPECT_EQ(again.at(t).options.sharpen, 0.8);
        EXPECT_EQ(again.at(t).options.color, data::ColorKind::rct);
        EXPECT_EQ(again.at(t).options.blend, t == 4 ? data::BlendKind::poisson : plan.at(0).options.blend);
        EXPECT_EQ(again.at(t).options.shift_x, t == 4 ? -2.5 : 0);
    }
    BIFRONS_EXPECT_ERROR(plan.save(folder / "saved.toml", data::Existing::keep), usage, "saved.toml");
}

TEST(MergePlan, a_bad_file_is_named_with_its_line)
{
    BIFRONS_EXPECT_ERROR(plan_of("erode = 3\nopacty = 1\n"), usage, "merge.toml:2: unknown setting \"opacty\"");
    BIFRONS_EXPECT_ERROR(plan_of("opacty = 1\n"), usage, "opacity");
    BIFRONS_EXPECT_ERROR(plan_of("\nalpha = 1.5\n"), usage, "merge.toml:2: alpha: is 1.5; expected a number in 0..1");
    BIFRONS_EXPECT_ERROR(plan_of("blend = \"soft\"\n"), usage, "expected none|feather|poisson");
    BIFRONS_EXPECT_ERROR(plan_of("alpha = true\n"), usage, "merge.toml:1: alpha");
    BIFRONS_EXPECT_ERROR(plan_of("alpha =\n"), data, "merge.toml:1");
    BIFRONS_EXPECT_ERROR(plan_of("frames = 3\n"), usage, "[[frames]]");
    BIFRONS_EXPECT_ERROR(plan_of("[[frames]]\nto = 3\n"), usage, "needs from");
    BIFRONS_EXPECT_ERROR(plan_of("[[frames]]\nfrom = 5\nto = 3\n"), usage, "within 0 to 99");
    BIFRONS_EXPECT_ERROR(plan_of("[[frames]]\nfrom = 5\nto = 100\n"), usage, "within 0 to 99");
    BIFRONS_EXPECT_ERROR(plan_of("[[frames]]\nfrom = 5\nto = 9\n[[frames]]\nfrom = 9\nto = 12\n"), usage,
                         "merge.toml:4: frames 9 to 12 overlap the range 5 to 9");
    BIFRONS_EXPECT_ERROR(MergePlan({}, "none.toml", 10), data, "none.toml");
}

} // namespace
} // namespace bifrons::tools
