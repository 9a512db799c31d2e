#include "kernels/sim/fiber.h"

#include "kernels/base/error.h"

#include <cstdint>
#include <cstdlib>
#include <utility>

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace bifrons::kernels::sim {

namespace {

constexpr std::size_t kGuard = 4096;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStack = 256 << 10; // instrumented frames are larger
#else
constexpr std::size_t kStack = 64 << 10;
#endif

/// The fiber that is being entered for the first time.
thread_local Fiber* entering = nullptr;

/// AddressSanitizer is told before and after each switch, else it takes one stack for the other.
void before_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                   [[maybe_unused]] std::size_t size)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

void after_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** left_bottom,
                  [[maybe_unused]] std::size_t* left_size)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, left_bottom, left_size);
#endif
}

} // namespace

#if defined(BIFRONS_SIM_UCONTEXT)

void Fiber::prepare()
{
    getcontext(&own_);
    own_.uc_stack = {.ss_sp = stack_ + kGuard, .ss_flags = 0, .ss_size = kStack};
    makecontext(&own_, &Fiber::enter, 0);
}

void Fiber::switch_context(Context& save, Context& load)
{
    swapcontext(&save, &load);
}

#else

// Saves the registers that a called function must preserve, changes the stack, and takes them from there. It jumps
// instead of returning, since the processor would predict the return to the other stack's caller.
asm(R"(
    .text
    .p2align 4
    .local bifrons_switch_stack
    .type bifrons_switch_stack, @function
bifrons_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmpq *%rcx
    .size bifrons_switch_stack, . - bifrons_switch_stack
)");

extern "C" void bifrons_switch_stack(void** save, void* load);

void Fiber::prepare()
{
    // As if enter() had been called and had then switched away: from the top a null return address, enter's address,
    // six registers.
    auto* top = reinterpret_cast<std::uintptr_t*>(stack_ + kGuard + kStack);
    *--top = 0;
    *--top = reinterpret_cast<std::uintptr_t>(&Fiber::enter);
    for (int i = 0; i < 6; ++i) *--top = 0;
    own_ = top;
}

void Fiber::switch_context(Context& save, Context& load)
{
    bifrons_switch_stack(&save, load);
}

#endif

Fiber::Fiber(std::function<void()> run) : run_(std::move(run))
{
    void* memory = mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BIFRONS_CHECK(device, memory != MAP_FAILED, "sim: no memory for the stack of a simulated thread");
    stack_ = static_cast<char*>(memory);
    mprotect(stack_, kGuard, PROT_NONE);
    prepare();
}

Fiber::~Fiber()
{
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(stack_ + kGuard, kStack);
#endif
    munmap(stack_, kGuard + kStack);
}

bool Fiber::has_on_stack(const void* address) const
{
    return address >= stack_ && address < stack_ + kGuard + kStack;
}

void Fiber::enter()
{
    Fiber& self = *entering;
    after_switch(nullptr, &self.caller_bottom_, &self.caller_size_);
    self.run_();
    std::abort(); // run never returns
}

void Fiber::resume()
{
    entering = this;
    before_switch(&caller_fake_stack_, stack_ + kGuard, kStack);
    switch_context(caller_, own_);
    after_switch(caller_fake_stack_, nullptr, nullptr);
}

void Fiber::suspend()
{
    before_switch(&own_fake_stack_, caller_bottom_, caller_size_);
    switch_context(own_, caller_);
    after_switch(own_fake_stack_, &caller_bottom_, &caller_size_);
}

} // namespace bifrons::kernels::sim
