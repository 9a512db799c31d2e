#include "kernels/base/suggest.h"

#include <algorithm>
#include <numeric>

namespace bifrons {

namespace {

/// Levenshtein's distance, one row of the table at a time.
std::size_t edits(const std::string& a, const std::string& b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t(0));
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& words)
{
    const std::string* best = nullptr;
    std::size_t fewest = 0;
    for (const std::string& word : words) {
        const std::size_t n = edits(typed, word);
        if (n <= std::max<std::size_t>(1, (word.size() + 1) / 3) && (!best || n < fewest)) {
            best = &word;
            fewest = n;
        }
    }
    return best ? "; did you mean \"" + *best + "\"?" : "";
}

} // namespace bifrons
