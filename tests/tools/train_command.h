// tests/tools/train_command.h - `bifrons train` in a process of its own, on two small facesets.
#pragma once

#include "engine/checkpoint.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/made_inputs.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bifrons::test {

namespace fs = std::filesystem;

class TrainCommand : public ::testing::Test {
  protected:
    void SetUp() override
    {
        make_faceset(folder_ / "src", 20);
        make_faceset(folder_ / "dst", 90);
    }

    /// Starts `bifrons train`; its words go to a file.
    pid_t start(const std::string& model, const std::string& steps, const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words = {BIFRONS_PROGRAM, "train",         "--src",    folder_ / "src",
                                          "--dst",         folder_ / "dst", "--model",  folder_ / model,
                                          "--steps",       steps,           "--device", device_};
        for (const char* setting :
             {"archi=df-ud", "resolution=32", "e_dims=4", "ae_dims=8", "d_dims=4", "d_mask_dims=4", "batch_size=2",
              "save_every=3", "keep=2", "preview_every=0", "validation_fraction=0.25"}) {
            words.push_back("--set");
            words.push_back(setting);
        }
        words.insert(words.end(), more.begin(), more.end());
        const pid_t child = fork();
        if (child == 0) {
            const int log = open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dup2(log, 1);
            dup2(log, 2);
            std::vector<char*> argv;
            for (std::string& word : words) argv.push_back(word.data());
            argv.push_back(nullptr);
            execv(argv[0], argv.data());
            _exit(127);
        }
        return child;
    }
    static int wait_for(pid_t child)
    {
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    int train(const std::string& model, const std::string& steps, const std::vector<std::string>& more = {})
    {
        return wait_for(start(model, steps, more));
    }
    std::string log() { return read(folder_ / "log"); }
    static std::string read(const std::string& path)
    {
        std::ifstream in(path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    /// Every tensor's bytes of the newest checkpoint, and its step.
    std::pair<std::int64_t, std::map<std::string, std::string>> newest(const std::string& model)
    {
        if (!fs::exists(folder_ / model)) return {-1, {}};
        const auto checkpoint = load_latest_checkpoint(folder_ / model, [](const std::string&) {});
        std::map<std::string, std::string> bytes;
        if (!checkpoint) return {-1, bytes};
        for (const NamedTensor& t : checkpoint->file.tensors())
            bytes[t.name] = std::string(static_cast<const char*>(t.data), t.bytes());
        return {checkpoint->step, bytes};
    }

    /// Every file of the model's folder.
    std::map<std::string, std::string> contents(const std::string& model)
    {
        std::map<std::string, std::string> files;
        if (fs::exists(folder_ / model))
            for (const auto& entry : fs::recursive_directory_iterator(folder_ / model))
                files[entry.path()] = entry.is_directory() ? "folder" : read(entry.path());
        return files;
    }

    /// The newest checkpoint again, all its numbers scaled.
    void scale_newest(const std::string& model, float scale)
    {
        const auto checkpoint = load_latest_checkpoint(folder_ / model, [](const std::string&) {});
        std::vector<std::vector<float>> scaled;
        std::vector<NamedTensor> tensors;
        for (NamedTensor t : checkpoint->file.tensors()) {
            scaled.emplace_back(std::size_t(t.size()));
            std::memcpy(scaled.back().data(), t.data, t.bytes());
            for (float& v : scaled.back()) v *= scale;
            t.data = scaled.back().data();
            tensors.push_back(t);
        }
        const Metadata metadata = checkpoint->file.metadata();
        CheckpointStore(folder_ / model).save(checkpoint->step, tensors, metadata);
    }
    /// How often the log says it.
    int count(const std::string& words)
    {
        const std::string text = log();
        int n = 0;
        for (std::size_t at = 0; (at = text.find(words, at)) != text.npos; at += words.size()) ++n;
        return n;
    }

    TempFolder folder_;
    std::string device_ = "cpu:1";
};

} // namespace bifrons::test
