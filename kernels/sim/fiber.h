// kernels/sim/fiber.h - a function with a stack of its own that can be left in the middle and continued later.
//
// x86-64 has its own switch of 14 instructions; elsewhere, or with BIFRONS_SIM_UCONTEXT, ucontext is used, which is
// 20 times slower (it saves the signal mask by a system call).
#pragma once

#include <cstddef>
#include <functional>

#if !defined(__x86_64__) && !defined(BIFRONS_SIM_UCONTEXT)
#define BIFRONS_SIM_UCONTEXT
#endif

#if defined(BIFRONS_SIM_UCONTEXT)
#include <ucontext.h>
#endif

namespace bifrons::kernels::sim {

class Fiber {
  public:
    /// `run` starts with the first resume(). It never returns and lets no exception out.
    explicit Fiber(std::function<void()> run);
    ~Fiber();
    Fiber(const Fiber&) = delete;

    /// Continues the fiber until it calls suspend(). Not from inside a fiber.
    void resume();
    /// Back to the caller of resume(). From inside this fiber only.
    void suspend();
    bool has_on_stack(const void* address) const;

  private:
#if defined(BIFRONS_SIM_UCONTEXT)
    using Context = ucontext_t;
#else
    using Context = void*; // its stack pointer; the registers lie on its stack
#endif
    static void enter();
    void prepare();
    static void switch_context(Context& save, Context& load);

    std::function<void()> run_;
    char* stack_ = nullptr; // the guard page is the lowest
    Context own_ = {}, caller_ = {};
    // What AddressSanitizer is to know of the two stacks.
    void *own_fake_stack_ = nullptr, *caller_fake_stack_ = nullptr;
    const void* caller_bottom_ = nullptr;
    std::size_t caller_size_ = 0;
};

} // namespace bifrons::kernels::sim
