#include "kernels/base/suggest.h"

#include <gtest/gtest.h>

using bifrons::did_you_mean;

namespace {

TEST(Suggest, the_nearest_word_is_offered)
{
    const std::vector<std::string> words = {"learning_rate", "batch_size", "train"};
    EXPECT_EQ(did_you_mean("learning_rat", words), "; did you mean \"learning_rate\"?");
    EXPECT_EQ(did_you_mean("tarin", {"merge", "train"}), "; did you mean \"train\"?"); // two edits in five letters
    EXPECT_EQ(did_you_mean("tarin", {"trim"}), "");                                    // three in four
    EXPECT_EQ(did_you_mean("batchsize", words), "; did you mean \"batch_size\"?");
    EXPECT_EQ(did_you_mean("batch_sise", {"batch_seize", "batch_size"}), "; did you mean \"batch_size\"?");
}

TEST(Suggest, nothing_is_offered_for_something_else)
{
    EXPECT_EQ(did_you_mean("colour", {"train", "merge"}), "");
    EXPECT_EQ(did_you_mean("x", {}), "");
}

} // namespace
