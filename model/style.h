// model/style.h - what the swapped face owes to the destination's footage: its colours, and its surroundings.
//
//   swap            the destination's latents through the source's decoder. Gradients of swap_style reach the decoder
//                   alone, those of swap_bg_style continue to the encoder: with both weights it is decoded twice
//   swap_style      100 f style(G(m_s S), G(m_d D))        colours and contrast (kernels/losses/style.h)
//   swap_bg_style   10 b/100 (DSSIM + mean squared error)((1-M) S, (1-M) T)
//
//   S, m_s  the swap's face and mask      D, m_d  the destination's reconstruction      T  its target
//   G  Gaussian of deviation R/8          M = G'(m_s m_d), G' a Gaussian of deviation max(1, R/32)
//
// All but S are constants. DeepFaceLab means the same region M, but at its last version takes the mask of the source's
// target in its place.
//
// Source  DeepFaceLab's face_style_power and bg_style_power     Tests  tests/model/style_test.cpp
#pragma once

#include "engine/batch.h"
#include "model/autoencoder.h"
#include "model/term.h"

namespace bifrons::model {

struct StyleWeights {
    float face = 0, background = 0; ///< f and b, 0..100; 0: left out
    explicit operator bool() const { return face > 0 || background > 0; }
};

std::vector<std::string> style_names(const StyleWeights& weights);
/// target [N,R,R,3]: of the destination's rows.
std::vector<Term> style_terms(Tape& tape, const StyleWeights& weights, const Autoencoder& net,
                              const Autoencoder::Reconstructions& out, const Tensor& target);

} // namespace bifrons::model
