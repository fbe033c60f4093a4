// What the files of bindings share.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "engine/engine.hpp"

namespace py = pybind11;
using namespace escapade;

void bind_passage(py::module_& m);

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;

inline Precision precision(const std::string& dtype) {
  if (dtype == "float32") return Precision::float32;
  if (dtype == "float64") return Precision::float64;
  throw py::value_error("dtype = '" + dtype + "': must be float32 or float64");
}

inline const ModelInfo& find_model(const std::string& model) {
  const Target& t = active_target();
  for (int i = 0; i < t.model_count; ++i)
    if (model == t.models[i].name) return t.models[i];
  throw py::value_error("model = '" + model + "' is unknown");
}

// Rows of parameters, one for each point of a sweep; rows first .. end - 1 are checked to be as long as they say.
inline Parameters some_rows(const std::string& model, const Doubles& values, size_t first, size_t end) {
  const ModelInfo& m = find_model(model);
  const size_t named = size_t(m.parameter_count);
  if (values.ndim() != 2 || size_t(values.shape(0)) < end || size_t(values.shape(1)) < named)
    throw py::value_error("parameters must have shape (points, length)");
  const Parameters rows{values.data(), size_t(values.shape(1))};
  for (size_t k = first; k < end; ++k)
    if (named + m.tail(rows.at(k)) != rows.length)
      throw py::value_error("parameters of " + model + " must have length " + std::to_string(named + m.tail(rows.at(k))) +
                            ", got " + std::to_string(rows.length));
  return rows;
}

// All rows, of particles of one size.
inline Parameters rows_of(const std::string& model, const Doubles& values) {
  const size_t points = values.ndim() == 2 ? size_t(values.shape(0)) : 0;
  const Parameters rows = some_rows(model, values, 0, std::max(points, size_t(1)));
  const ModelInfo& m = find_model(model);
  const Shape first = m.shape(rows.at(0));
  for (size_t k = 1; k < points; ++k) {
    const Shape s = m.shape(rows.at(k));
    if (s.dim != first.dim || s.planes != first.planes || s.draws != first.draws || s.kind != first.kind ||
        s.stability != first.stability)
      throw py::value_error("particles of " + model + " must have the same size and draws at all points");
  }
  return rows;
}
