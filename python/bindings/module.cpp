// Python bindings of the engine: translation and nothing else. Arguments are checked in Python, before they come here.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace {

void check_points(const Engine& e, const Doubles& values) {
  if (size_t(values.shape(0)) != e.points()) throw py::value_error("parameters must have a row for each point");
}

CoordinateView view_of(const std::string& model, const std::string& coordinate, const Parameters& rows) {
  if (coordinate == "physical") return {};
  const Target& t = active_target();
  for (int i = 0; i < t.coordinate_count; ++i)
    if (model == t.coordinates[i].model && coordinate == t.coordinates[i].coordinate)
      return {t.coordinates[i].physical, t.coordinates[i].log, rows};
  throw py::value_error("model " + model + " has no coordinate '" + coordinate + "'");
}

py::list models() {
  py::list out;
  const Target& t = active_target();
  for (int i = 0; i < t.model_count; ++i) {
    const ModelInfo& m = t.models[i];
    py::list parameters;
    for (int k = 0; k < m.parameter_count; ++k) {
      const ParameterInfo& p = m.parameters[k];
      parameters.append(py::dict(py::arg("name") = p.name, py::arg("default") = p.fallback, py::arg("low") = p.low,
                                 py::arg("high") = p.high, py::arg("low_open") = p.low_open,
                                 py::arg("high_open") = p.high_open, py::arg("integer") = p.integer,
                                 py::arg("unit") = p.unit, py::arg("doc") = p.doc));
    }
    py::list schemes;
    for (int k = 0; k < t.kernel_count; ++k)
      if (!std::strcmp(t.kernels[k].model, m.name) && t.kernels[k].state == Precision::float32)
        schemes.append(t.kernels[k].scheme);
    out.append(py::dict(py::arg("name") = m.name, py::arg("equation") = m.equation, py::arg("source") = m.source,
                        py::arg("calculus") = m.calculus, py::arg("parameters") = parameters, py::arg("schemes") = schemes));
  }
  return out;
}

py::list schemes() {
  py::list out;
  const Target& t = active_target();
  for (int i = 0; i < t.scheme_count; ++i) {
    const SchemeInfo& s = t.schemes[i];
    out.append(py::dict(py::arg("name") = s.name, py::arg("summary") = s.summary, py::arg("calculus") = s.calculus,
                        py::arg("coordinate") = s.coordinate, py::arg("strong_order") = s.strong_order,
                        py::arg("strong_order_additive") = s.strong_order_additive, py::arg("weak_order") = s.weak_order,
                        py::arg("weak_order_additive") = s.weak_order_additive, py::arg("normals") = s.normals,
                        py::arg("adaptive") = s.adaptive, py::arg("jumps") = s.jumps));
  }
  return out;
}

py::object text_or_none(const char* reason) { return reason ? py::object(py::str(reason)) : py::object(py::none()); }

// Why a scheme cannot step a model with these parameters; None if it can.
py::object check_scheme(const std::string& model, const std::string& scheme, const Doubles& parameters) {
  const Parameters rows = rows_of(model, parameters);
  const Kernel* k = find_kernel(model.c_str(), scheme.c_str(), Precision::float64, Precision::float32);
  if (!k && find_model(model).shape(rows.at(0)).kind == Draw::stable)
    return py::str("the scheme needs normal noise, or something else of the equation that the model lacks");
  if (!k) return py::str("the model lacks what the scheme needs (a coordinate, or scalar noise)");
  for (py::ssize_t i = 0; i < parameters.shape(0); ++i)
    if (const char* reason = k->check(rows.at(size_t(i)))) return py::str(reason);
  return py::none();
}

// Constraints between the parameters of one point.
py::object check_model(const std::string& model, const Doubles& parameters) {
  if (size_t(parameters.size()) < size_t(find_model(model).parameter_count)) throw py::value_error("too few parameters");
  return text_or_none(find_model(model).check(parameters.data()));
}

py::dict shape_of(const std::string& model, const Doubles& parameters) {
  const Shape s = find_model(model).shape(rows_of(model, parameters).at(0));
  return py::dict(py::arg("dim") = s.dim, py::arg("planes") = s.planes, py::arg("draws") = s.draws,
                  py::arg("discrete") = s.kind == Draw::data || s.kind == Draw::words,
                  py::arg("jumps") = s.kind == Draw::stable);
}

Doubles sums_array(const MomentSums& sums, int highest) {
  Doubles out(highest + 1);
  std::memcpy(out.mutable_data(), sums.power, sizeof(double) * size_t(highest + 1));
  return out;
}

// States of particles first, ..., first + count - 1 of a point as doubles, by the given member of Engine.
template <auto Get>
Doubles particles(const Engine& e, const std::string& model, const Doubles& parameters, const std::string& coordinate,
                  size_t point, int plane, size_t first, size_t count) {
  if (first > e.n() || count > e.n() - first) throw py::index_error("particles out of range");
  if (point >= e.points() || plane < 0 || plane >= e.planes()) throw py::index_error("point or plane out of range");
  check_points(e, parameters);
  const CoordinateView view = view_of(model, coordinate, some_rows(model, parameters, point, point + 1));
  Doubles out(static_cast<py::ssize_t>(count));
  double* p = out.mutable_data();
  const py::gil_scoped_release release;
  (e.*Get)(view, point, plane, first, count, p);
  return out;
}

template <class T> py::array state_of(py::object self) {
  Engine& e = self.cast<Engine&>();
  const auto size = py::ssize_t(sizeof(T));
  return py::array_t<T>({py::ssize_t(e.points()), py::ssize_t(e.n()), py::ssize_t(e.planes())},
                        {py::ssize_t(e.point_stride()) * size, size, py::ssize_t(e.plane_stride()) * size},
                        static_cast<T*>(e.data()), self);
}

template <class T>
py::array_t<T> normals(size_t n, int count, uint64_t seed, uint32_t stream, uint64_t first_id, uint64_t block) {
  constexpr int per_block = 16 / int(sizeof(T));
  const size_t padded = (n + 63) / 64 * 64;
  const int blocks = (count + per_block - 1) / per_block;
  std::vector<T> scratch(padded * size_t(blocks * per_block) + 16);
  T* at = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
  if constexpr (sizeof(T) == 4)
    active_target().fill_normals32(at, padded, seed, stream, Ids{first_id, nullptr}, int(padded), block, blocks);
  else active_target().fill_normals64(at, padded, seed, stream, Ids{first_id, nullptr}, int(padded), block, blocks);
  py::array_t<T> out({size_t(count), n});
  for (int k = 0; k < count; ++k) std::memcpy(out.mutable_data(k, 0), at + size_t(k) * padded, n * sizeof(T));
  return out;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "Compiled engine of escapade";
  m.attr("version") = ESCAPADE_VERSION;
  m.attr("max_moment") = 16;
  m.attr("chunk") = chunk_particles;
  m.attr("rows") = tile_rows;
  m.attr("stream_initial") = 1;  // Stream::initial of core/stream.hpp
  active_target();               // an impossible ESCAPADE_ISA is an error at import

  m.def("isa", [] { return active_target().isa; });
  m.def("set_isa", &choose_target, py::arg("isa"));
  m.def("built_isas", &built_targets);
  m.def("supported_isas", &supported_targets);
  m.def("compiler", [] {
#if defined(__clang__)
    return std::string("clang ") + __clang_version__;
#else
    return std::string("gcc ") + __VERSION__;
#endif
  });
  m.def("models", &models);
  m.def("schemes", &schemes);
  m.def("check_scheme", &check_scheme, py::arg("model"), py::arg("scheme"), py::arg("parameters"));
  m.def("check_model", &check_model, py::arg("model"), py::arg("parameters"));
  m.def("shape", &shape_of, py::arg("model"), py::arg("parameters"));

  m.def(
      "normals",
      [](size_t n, int count, uint64_t seed, uint32_t stream, uint64_t first_id, uint64_t block,
         const std::string& dtype) -> py::array {
        if (precision(dtype) == Precision::float32) return normals<float>(n, count, seed, stream, first_id, block);
        return normals<double>(n, count, seed, stream, first_id, block);
      },
      py::arg("n"), py::arg("count"), py::arg("seed"), py::arg("stream") = 0, py::arg("first_id") = 0, py::arg("block") = 0,
      py::arg("noise") = "float32");
  m.def(
      "uniforms",
      [](size_t n, uint64_t seed, uint32_t stream, uint64_t first_id, uint64_t block) {
        Doubles out(static_cast<py::ssize_t>(n));
        active_target().uniforms(out.mutable_data(), seed, stream, first_id, n, block);
        return out;
      },
      py::arg("n"), py::arg("seed"), py::arg("stream"), py::arg("first_id") = 0, py::arg("block") = 0);
  m.def(
      "philox",
      [](std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
        uint32_t x[4];
        std::copy(counter.begin(), counter.end(), x);
        active_target().philox(x, key[0], key[1]);
        return std::array<uint32_t, 4>{x[0], x[1], x[2], x[3]};
      },
      py::arg("counter"), py::arg("key"));
  m.def(
      "math",
      [](const std::string& name, const py::array& x) -> py::array {
        const bool single = py::isinstance<py::array_t<float>>(x);
        auto run = [&](auto in) -> py::array {
          auto out = decltype(in)(in.size());
          if (!active_target().math(name.c_str(), single ? Precision::float32 : Precision::float64, in.data(),
                                    out.mutable_data(), size_t(in.size())))
            throw py::value_error("function '" + name + "' is unknown");
          return out;
        };
        if (single) return run(py::array_t<float, py::array::c_style>(x));
        return run(Doubles(x));
      },
      py::arg("name"), py::arg("x"));
  m.def(
      "power_sums",
      [](const Doubles& x, double shift, int highest, int threads) {
        MomentSums sums;
        const double* p = x.data();
        const size_t n = size_t(x.size());
        {
          py::gil_scoped_release release;
          sums = power_sums(p, n, shift, highest, threads);
        }
        return sums_array(sums, highest);
      },
      py::arg("x"), py::arg("shift"), py::arg("highest"), py::arg("threads") = 1);

  bind_passage(m);

  py::class_<Engine>(m, "Engine", py::module_local())
      .def(py::init([](size_t n, const std::string& dtype, const std::string& noise, uint64_t seed, int threads,
                       uint64_t first_id, size_t points, int planes) {
             return std::make_unique<Engine>(n, points, planes, precision(dtype), precision(noise), seed, threads, first_id);
           }),
           py::arg("n"), py::arg("dtype"), py::arg("noise"), py::arg("seed"), py::arg("threads"), py::arg("first_id") = 0,
           py::arg("points") = 1, py::arg("planes") = 1)
      .def_property_readonly("n", &Engine::n)
      .def_property_readonly("points", &Engine::points)
      .def_property_readonly("planes", &Engine::planes)
      .def_property_readonly("step", &Engine::step)
      .def_property_readonly("draw", &Engine::draw)
      .def_property_readonly("substeps", &Engine::substeps)
      .def_property_readonly("floor_hits", &Engine::floor_hits)
      .def_property("threads", &Engine::threads, &Engine::set_threads)
      .def_property_readonly("state",
                             [](py::object self) {
                               return self.cast<Engine&>().precision() == Precision::float32 ? state_of<float>(self)
                                                                                             : state_of<double>(self);
                             })
      .def("fill_padding", &Engine::fill_padding)
      .def("restore", &Engine::restore, py::arg("step"), py::arg("draw"), py::arg("substeps"), py::arg("floor_hits"))
      .def(
          "advance",
          [](Engine& e, const std::string& model, const std::string& scheme, const Doubles& parameters, uint64_t steps,
             double dt, int coarsen) {
            check_points(e, parameters);
            const Parameters rows = rows_of(model, parameters);
            const Shape shape = find_model(model).shape(rows.at(0));
            if (shape.planes != e.planes()) throw py::value_error("the engine holds another number of planes");
            py::gil_scoped_release release;
            e.advance(model.c_str(), scheme.c_str(), shape, rows, steps, dt, coarsen);
          },
          py::arg("model"), py::arg("scheme"), py::arg("parameters"), py::arg("steps"), py::arg("dt"),
          py::arg("coarsen") = 1)
      .def(
          "change_coordinate",
          [](Engine& e, const std::string& model, const Doubles& parameters, const std::string& from,
             const std::string& to) {
            check_points(e, parameters);
            if (e.planes() != 1) throw py::value_error("particles of several numbers have one coordinate");
            const Parameters rows = rows_of(model, parameters);
            const CoordinateView a = view_of(model, from, rows), b = view_of(model, to, rows);
            py::gil_scoped_release release;
            e.change_coordinate(a, b);
          },
          py::arg("model"), py::arg("parameters"), py::arg("old"), py::arg("new"))
      .def("physical", &particles<&Engine::physical>, py::arg("model"), py::arg("parameters"), py::arg("coordinate"),
           py::arg("point"), py::arg("plane"), py::arg("first"), py::arg("count"))
      .def("logarithm", &particles<&Engine::logarithm>, py::arg("model"), py::arg("parameters"), py::arg("coordinate"),
           py::arg("point"), py::arg("plane"), py::arg("first"), py::arg("count"))
      .def(
          "power_sums",
          [](const Engine& e, const std::string& model, const Doubles& parameters, const std::string& coordinate,
             const Doubles& shifts, int highest) {
            check_points(e, parameters);
            if (shifts.ndim() != 2 || size_t(shifts.shape(0)) != e.points() || shifts.shape(1) > e.planes())
              throw py::value_error("shifts must have shape (points, dim)");
            const CoordinateView v = view_of(model, coordinate, rows_of(model, parameters));
            const int dim = int(shifts.shape(1));
            std::vector<MomentSums> sums;
            {
              py::gil_scoped_release release;
              sums = e.power_sums(v, dim, shifts.data(), highest);
            }
            Doubles out({py::ssize_t(e.points()), py::ssize_t(dim), py::ssize_t(highest + 1)});
            for (size_t i = 0; i < sums.size(); ++i)
              std::copy(sums[i].power, sums[i].power + highest + 1, out.mutable_data() + i * size_t(highest + 1));
            return out;
          },
          py::arg("model"), py::arg("parameters"), py::arg("coordinate"), py::arg("shifts"), py::arg("highest"))
      .def(
          "histogram",
          [](const Engine& e, const std::string& model, const Doubles& parameters, const std::string& coordinate, int plane,
             int scale, double lo, double inverse_width, double threshold,
             py::array_t<uint64_t, py::array::c_style> counts) {
            check_points(e, parameters);
            if (plane < 0 || plane >= e.planes()) throw py::index_error("plane out of range");
            if (counts.ndim() != 2 || size_t(counts.shape(0)) != e.points() || counts.shape(1) < 4)
              throw py::value_error("counts must have shape (points, bins + 3)");
            const CoordinateView v = view_of(model, coordinate, rows_of(model, parameters));
            uint64_t* c = counts.mutable_data();
            const int64_t bins = counts.shape(1) - 3;
            py::gil_scoped_release release;
            e.histogram(v, plane, scale, lo, inverse_width, threshold, bins, c);
          },
          py::arg("model"), py::arg("parameters"), py::arg("coordinate"), py::arg("plane"), py::arg("scale"), py::arg("lo"),
          py::arg("inverse_width"), py::arg("threshold"), py::arg("counts").noconvert())
      .def("count_nonfinite", [](const Engine& e) {
        py::gil_scoped_release release;
        return e.count_nonfinite();
      });
}
