// tests/tools/made_inputs.h - facesets and models that take no footage and no training.
#pragma once

#include "data/faceset.h"
#include "model/trainer.h"
#include "tests/data/faces.h"

namespace bifrons::test {

/// Faces of one identity: a shaded oval, drawn in `tint`.
inline void make_faceset(const std::filesystem::path& folder, std::uint8_t tint, std::int64_t count = 12)
{
    constexpr std::int64_t kSide = 64;
    std::filesystem::create_directories(folder / "images");
    data::Faceset set{.folder = folder, .side = kSide, .detector = "hog"};
    set.sources.push_back({.name = "clip", .path = "/clip.mp4", .frames = count, .done = count, .complete = true});
    for (std::int64_t i = 0; i < count; ++i) {
        data::FaceRecord face{
            .file = str("images/clip_", i, "_0.png"), .frame = i, .rect = {10, 10, 54, 54}, .score = 1};
        face.in_frame = mean_landmarks(20, 24, 24);
        face.matrix = data::face_from_frame(face.in_frame, set.type, set.side);
        face.in_face = face.matrix(face.in_frame);
        face.size = double(set.side) / face.matrix.scale();
        face.pose = data::pose_of(face.in_frame);
        data::Image picture(kSide, kSide, 3);
        for (std::int64_t p = 0; p < kSide * kSide * 3; ++p)
            picture.pixels[std::size_t(p)] =
                std::uint8_t((p / 3 % kSide) * 2 + (p * i) % 13 + (p % 3 == 0 ? tint : 40));
        data::save_image(folder / face.file, picture);
        face.checksum = data::checksum_of(data::read_file(folder / face.file));
        set.faces.push_back(face);
    }
    data::save_faceset(set);
}

/// A model as it is before its first step.
inline void make_model(const std::filesystem::path& folder, double validation_fraction = 0)
{
    struct NoFaces : BatchSource {
        void enqueue(kernels::Exec, const kernels::StepState*, Batch&) override {}
    } none;
    model::Settings s;
    s.resolution = 32;
    s.e_dims = s.d_dims = s.d_mask_dims = 4;
    s.ae_dims = 16;
    s.validation_fraction = validation_fraction;
    const auto device = kernels::open_device("cpu:1");
    model::Trainer trainer(*device, s, none, nullptr);
    CheckpointStore store(folder.string());
    trainer.save(store);
}

} // namespace bifrons::test
