// data/faceset_json.h - the records of a faceset as JSON, which may come from anywhere. data/faceset.h lists the
// members. Tests tests/data/faceset_test.cpp
#pragma once

#include "data/faceset.h"
#include "engine/json.h"
#include "kernels/base/error.h"

namespace bifrons::data {

/// One object, with a name for messages. Every fault throws Error(data).
class JsonReader {
  public:
    JsonReader(const nlohmann::json& object, std::string name) : object_(object), name_(std::move(name))
    {
        BIFRONS_CHECK(data, object.is_object(), name_,
                      ": is not an object; the file was changed by hand or is damaged");
    }

    bool has(const char* field) const { return object_.contains(field); }

    /// The field as T.
    template <class T>
    T get(const char* field) const
    {
        const auto found = object_.find(field);
        BIFRONS_CHECK(data, found != object_.end(), name_, ": has no '", field,
                      "'; the file was changed by hand or is damaged");
        try {
            return found->get<T>();
        } catch (const nlohmann::json::exception&) {
            throw Error(ErrorKind::data, str(name_, ": '", field, "' is ", shown(*found), "; expected another type"));
        }
    }

    /// The field, which is a list.
    const nlohmann::json& list(const char* field) const
    {
        const auto found = object_.find(field);
        BIFRONS_CHECK(data, found != object_.end() && found->is_array(), name_, ": has no list '", field,
                      "'; the file was changed by hand or is damaged");
        return *found;
    }

    /// The field, which is an object.
    JsonReader object(const char* field) const
    {
        BIFRONS_CHECK(data, has(field), name_, ": has no '", field, "'; the file was changed by hand or is damaged");
        return {object_[field], str(name_, ": ", field)};
    }

    /// Element n of the field, which is a list.
    JsonReader member(const nlohmann::json& element, const char* field, std::size_t n) const
    {
        return {element, str(name_, ": ", field, " ", n)};
    }

    /// n numbers, which are finite: nothing else is JSON.
    std::vector<double> numbers(const char* field, std::size_t n) const
    {
        const auto values = get<std::vector<double>>(field);
        BIFRONS_CHECK(data, values.size() == n, name_, ": '", field, "' has ", values.size(), " numbers; expected ", n);
        return values;
    }

    Landmarks landmarks(const char* field) const
    {
        const std::vector<double> v = numbers(field, 136);
        Landmarks points;
        for (std::size_t i = 0; i < 68; ++i) points[i] = {v[2 * i], v[2 * i + 1]};
        return points;
    }

    /// A whole number of [low, high].
    std::int64_t integer(const char* field, std::int64_t low, std::int64_t high) const
    {
        const auto number = get<nlohmann::json>(field);
        check(number.is_number_integer(), field, number, str(low, " to ", high));
        const auto value = number.get<std::int64_t>();
        check(value >= low && value <= high, field, value, str(low, " to ", high));
        return value;
    }

    template <class Value>
    void check(bool ok, const char* field, const Value& value, const std::string& expected) const
    {
        BIFRONS_CHECK(data, ok, name_, ": '", field, "' is ", shown(nlohmann::json(value)), "; expected ", expected);
    }

  private:
    const nlohmann::json& object_;
    std::string name_;
};

/// What faceset.json says of the faceset.
std::string manifest_of(const Faceset& set);

/// A name without a folder, whole for the system.
bool is_file_name(const std::string& name);

nlohmann::json to_json(const SourceRecord& source);
nlohmann::json to_json(const FaceRecord& face);
nlohmann::json to_json(const Landmarks& points);
nlohmann::json to_json(const Rect& rect);

/// Throw Error(data): a member that is missing, of another type or out of its own range. What members and records
/// mean for each other is not looked at.
SourceRecord source_from(const JsonReader& in);
FaceRecord face_from(const JsonReader& in);

/// A face as extraction writes it: what comes later (warps, masks) relies on it and does not look again. Throws
/// Error(data), which begins with `name`.
void check_face(const Faceset& set, const FaceRecord& face, const std::string& name);

} // namespace bifrons::data
