// tests/data/apart_test.cpp - work in a process of its own, and what becomes of work that fails.
#include "data/picture/apart.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace bifrons::data {
namespace {

constexpr Allowance kEnough = {std::int64_t(1) << 30, 60};

TEST(Apart, WhatTheChildSharesComesBackAndNothingElse)
{
    const SharedBytes shared(3 << 20);
    int own = 1;
    const std::string reason = run_apart(
        [&] {
            shared.data()[0] = 7;
            shared.data()[shared.size() - 1] = 8;
            own = 2;
        },
        kEnough);
    EXPECT_EQ(reason, "");
    EXPECT_EQ(shared.data()[0], 7);
    EXPECT_EQ(shared.data()[shared.size() - 1], 8);
    EXPECT_EQ(shared.data()[1], 0);
    EXPECT_EQ(own, 1);
}

TEST(Apart, WhyTheChildFailedIsTold)
{
    EXPECT_EQ(run_apart([] { throw std::runtime_error("no picture"); }, kEnough), "no picture");
    EXPECT_EQ(run_apart([] { throw 1; }, kEnough), "for an unknown reason");
    EXPECT_EQ(run_apart([] { std::_Exit(2); }, kEnough), "for an unknown reason");
    EXPECT_EQ(run_apart([] { std::abort(); }, kEnough), "its decoder crashed: Aborted");
}

TEST(Apart, MemoryAndTimeAreBounded)
{
    const SharedBytes shared(1);
    const auto take = [&](std::int64_t bytes) {
        std::vector<char> memory(std::size_t(bytes), 'x');
        shared.data()[0] = std::uint8_t(memory.back());
    };
    EXPECT_EQ(run_apart([&] { take(100 << 20); }, {1 << 30, 60}), "");
    EXPECT_EQ(shared.data()[0], 'x');
    EXPECT_NE(run_apart([&] { take(1 << 30); }, {100 << 20, 60}), "");
    const auto spin = [&] {
        for (volatile const std::uint8_t* stop = shared.data(); *stop != 0;) {
        }
    };
    EXPECT_EQ(run_apart(spin, {1 << 30, 1}), "it takes more than 1 s of the processor's time");
}

} // namespace
} // namespace bifrons::data
