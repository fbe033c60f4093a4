// The numbers of a tile's particles: consecutive, or listed where particles have been moved together.
#pragma once

#include <cstddef>
#include <cstdint>

namespace escapade {

struct Ids {
  uint64_t first = 0;
  const uint64_t* list = nullptr;
  uint64_t operator[](size_t i) const { return list ? list[i] : first + i; }
  Ids from(size_t i) const { return list ? Ids{0, list + i} : Ids{first + i, nullptr}; }
};

}  // namespace escapade
