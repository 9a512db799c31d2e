// data/merge/scratch.h - device memory for one use after another: kept and grown, since to allocate takes long on a
// GPU.
//
//   scratch.begin({x_bytes, y_bytes, workspace_bytes});
//   const kernels::View x = scratch.upload(values), y = scratch.take<float>(n);
//   operation(scratch.exec(), x, y);                                     with what is left as its workspace
//   scratch.download(y, results);
#pragma once

#include "kernels/base/arena.h"
#include "kernels/device/device.h"

#include <initializer_list>

namespace bifrons::data {

class Scratch {
  public:
    /// The device must outlive this.
    explicit Scratch(kernels::Device& device) : device_(device) {}
    ~Scratch() { device_.free(memory_.data); }
    Scratch(const Scratch&) = delete;

    /// Room for arrays and a workspace of these sizes; what the use before has left is gone.
    void begin(std::initializer_list<std::size_t> parts)
    {
        kernels::Arena count(nullptr);
        for (const std::size_t bytes : parts) count.take<char>(std::int64_t(bytes));
        if (count.used() > memory_.bytes) {
            device_.free(memory_.data);
            memory_ = {};
            memory_ = {device_.allocate(count.used()), count.used()};
        }
        arena_ = kernels::Arena(memory_.data);
    }
    template <class T>
    kernels::View take(std::size_t n)
    {
        return {arena_.take<T>(std::int64_t(n)), kernels::dtype_of<T>()};
    }
    /// The values must live until download().
    template <class T>
    kernels::View upload(const std::vector<T>& values)
    {
        const kernels::View view = take<T>(values.size());
        device_.copy({}, view.data, values.data(), values.size() * sizeof(T));
        return view;
    }
    kernels::Exec exec()
    {
        return {&device_, {}, {static_cast<char*>(memory_.data) + arena_.used(), memory_.bytes - arena_.used()}};
    }
    /// Waits for all that was enqueued.
    template <class T>
    void download(kernels::ConstView view, std::vector<T>& values)
    {
        device_.download({}, values.data(), view.as<T>(), values.size() * sizeof(T));
    }

  private:
    kernels::Device& device_;
    kernels::Workspace memory_;
    kernels::Arena arena_{nullptr};
};

} // namespace bifrons::data
