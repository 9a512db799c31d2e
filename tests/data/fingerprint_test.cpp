// tests/data/fingerprint_test.cpp - footage of one name is told apart.
#include "data/fingerprint.h"

#include "kernels/base/error.h"
#include "tests/data/folder.h"

namespace bifrons::data {
namespace {

TEST(Fingerprint, DiffersWithSizeStartMiddleAndEnd)
{
    const test::Folder folder;
    const auto print = [&](const std::string& bytes) {
        test::write_text(folder / "f", bytes);
        return fingerprint_of(folder / "f");
    };
    const std::string bytes(1 << 20, 'a');
    const std::string first = print(bytes);
    EXPECT_EQ(first.size(), 16u);
    EXPECT_EQ(print(bytes), first);
    EXPECT_NE(print(bytes + 'a'), first);
    for (const std::size_t at : {std::size_t(0), bytes.size() / 2, bytes.size() - 1}) {
        std::string other = bytes;
        other[at] = 'b';
        EXPECT_NE(print(other), first) << at;
    }
    EXPECT_NE(print(""), print("a"));
    EXPECT_NE(print("a"), print("b"));
}

TEST(Fingerprint, WhatCannotBeReadIsNamed)
{
    const test::Folder folder;
    BIFRONS_EXPECT_ERROR(fingerprint_of(folder / "none"), data, "none: cannot be read");
}

} // namespace
} // namespace bifrons::data
