#include "kernels/sim/thread_clocks.h"

#include <algorithm>

namespace bifrons::kernels::sim {

namespace {

std::shared_ptr<const Steps> sum(const std::shared_ptr<const Steps>& a, const std::shared_ptr<const Steps>& b)
{
    if (a == b || !a) return b;
    auto steps = std::make_shared<Steps>(*a);
    for (std::size_t i = 0; i < steps->size(); ++i) (*steps)[i] = std::max((*steps)[i], (*b)[i]);
    return steps;
}

} // namespace

void add(News& news, const News& more)
{
    for (const auto& [block, steps] : more) {
        auto& known = news[block];
        known = sum(known, steps);
    }
}

void ThreadClocks::begin_block(std::uint32_t block, std::size_t threads)
{
    block_ = block;
    threads_.assign(threads, {1, std::make_shared<const Steps>(threads, 0u), nullptr});
}

bool ThreadClocks::knows(std::size_t thread, std::uint32_t block, std::size_t other, std::uint32_t step) const
{
    const auto& others = threads_[thread].others;
    if (!others) return false;
    const auto found = others->find(block);
    return found != others->end() && (*found->second)[other] >= step;
}

/// sum learns what the thread knows.
void ThreadClocks::merge(Thread& sum, const Thread& thread) const
{
    sum.known = sim::sum(sum.known, thread.known);
    if (!thread.others || sum.others == thread.others) return;
    auto others = std::make_shared<News>(*thread.others);
    if (sum.others) add(*others, *sum.others);
    sum.others = others;
}

void ThreadClocks::meet_all()
{
    auto known = std::make_shared<Steps>(threads_.size());
    Thread all{0, known, nullptr};
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        (*known)[i] = threads_[i].step++;
        threads_[i].known = known; // more than any of them knew
        merge(all, threads_[i]);
    }
    for (Thread& thread : threads_) thread.others = all.others;
}

void ThreadClocks::meet(std::size_t first, std::uint32_t mask)
{
    Thread all{0, nullptr, nullptr};
    for (unsigned lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) merge(all, threads_[first + lane]);
    auto known = std::make_shared<Steps>(*all.known);
    for (unsigned lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) {
            Thread& thread = threads_[first + lane];
            (*known)[first + lane] = thread.step++;
            thread.known = known;
            thread.others = all.others;
        }
}

News ThreadClocks::tell(std::size_t thread)
{
    Thread& me = threads_[thread];
    auto known = std::make_shared<Steps>(*me.known);
    (*known)[thread] = me.step++;
    News news = me.others ? *me.others : News();
    news[block_] = known;
    return news;
}

void ThreadClocks::learn(std::size_t thread, const News& news)
{
    Thread told{0, threads_[thread].known, nullptr};
    auto others = std::make_shared<News>(news);
    if (const auto own = others->find(block_); own != others->end()) {
        told.known = own->second;
        others->erase(own);
    }
    if (!others->empty()) told.others = others;
    merge(threads_[thread], told);
}

} // namespace bifrons::kernels::sim
