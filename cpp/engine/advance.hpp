// THE loop: particles advanced over steps by one scheme of one model. Packs of lanes here, one lane per thread under CUDA.
#pragma once

#include "advance_scalar.hpp"
#include "advance_vector.hpp"

ESCAPADE_BEGIN

template <class View, class Scheme, class T, class Z> void advance(const ViewStorage& storage, Tile& tile) {
  const View& view = *reinterpret_cast<const View*>(storage.bytes);
  if constexpr (is_vector<View>) advance_vector<View, Scheme, T, Z>(view, tile);
  else if constexpr (Scheme::adaptive) advance_adaptive<View, Scheme, T, Z>(view, tile);
  else advance_fixed<View, Scheme, T, Z>(view, tile);
}

ESCAPADE_END
