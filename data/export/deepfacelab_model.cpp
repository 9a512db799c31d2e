#include "data/export/deepfacelab_model.h"

#include "data/export/pickle_writer.h"

namespace bifrons::data {

namespace {

/// Of a count, as Python has no bounds for them.
Pickled whole(std::int64_t number)
{
    return std::int32_t(number) == number ? pickled(std::int32_t(number)) : pickled(double(number));
}

Pickled option(const std::variant<bool, std::int64_t, double, std::string>& value)
{
    if (const bool* const flag = std::get_if<bool>(&value)) return pickled_flag(*flag);
    if (const auto* const number = std::get_if<std::int64_t>(&value)) return whole(*number);
    if (const double* const number = std::get_if<double>(&value)) return pickled(*number);
    return pickled(std::string_view(std::get<std::string>(value)));
}

} // namespace

DflArraysWriter::DflArraysWriter(const std::filesystem::path& file) : file_(file.string(), Flush::yes)
{
    write(kPickleBegin);
    write("}(");
}

void DflArraysWriter::add(const std::string& name, std::span<const float> numbers,
                          const std::vector<std::int64_t>& shape)
{
    write(pickled(std::string_view(name)).opcodes);
    write(pickled_array(numbers, {shape.begin(), shape.end()}).opcodes);
}

void DflArraysWriter::add(const std::string& name, std::int64_t number)
{
    write(pickled(std::string_view(name)).opcodes);
    write(whole(number).opcodes);
}

void DflArraysWriter::finish()
{
    write("u.");
    file_.commit();
}

void DflArraysWriter::write(const std::string& opcodes)
{
    file_.write(opcodes.data(), opcodes.size());
}

void write_dfl_model_data(
    const std::filesystem::path& file, std::int64_t iterations,
    const std::vector<std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>>& options)
{
    std::vector<std::pair<std::string, Pickled>> values;
    for (const auto& [name, value] : options) values.emplace_back(name, option(value));
    const Pickled zero = pickled(std::int32_t(0)), losses = pickled_list({zero, zero}); // of source and destination
    const std::string bytes =
        pickle_of(pickled_dict({{"iter", whole(iterations)},
                                {"options", pickled_dict(values)},
                                {"loss_history", pickled_list(std::vector<Pickled>(std::size_t(iterations), losses))},
                                {"sample_for_preview", pickled_none()},
                                {"choosed_gpu_indexes", pickled_none()}}));
    AtomicFile to(file.string(), Flush::yes);
    to.write(bytes.data(), bytes.size());
    to.commit();
}

} // namespace bifrons::data
