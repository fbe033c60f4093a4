// Bindings of first passages, and of what is known of a model at a point: translation and nothing else.
#include "engine/passage.hpp"

#include <memory>

#include "bindings.hpp"

namespace {

template <class Enum> Enum one_of(const py::dict& d, const char* key, std::initializer_list<const char*> names) {
  const std::string name = py::cast<std::string>(d[key]);
  int i = 0;
  for (const char* known : names) {
    if (name == known) return Enum(i);
    ++i;
  }
  throw py::value_error(std::string(key) + " = '" + name + "' is unknown");
}

OwnedBoundary boundary_of(const py::dict& d, int dim) {
  OwnedBoundary b;
  b.boundary.kind = one_of<Boundary::Kind>(d, "kind", {"coordinate", "half_space", "ball"});
  b.boundary.action = one_of<Boundary::Action>(d, "action", {"absorb", "reflect", "count", "rearm"});
  b.boundary.test = one_of<Boundary::Test>(d, "test", {"endpoint", "bridge", "shift"});
  b.boundary.coordinate = py::cast<int>(d["coordinate"]);
  b.boundary.sign = py::cast<double>(d["sign"]);
  b.boundary.level = py::cast<double>(d["level"]);
  b.vector = py::cast<std::vector<double>>(d["vector"]);
  if (b.boundary.coordinate < 0 || b.boundary.coordinate >= dim) throw py::index_error("coordinate out of range");
  if (b.boundary.kind != Boundary::Kind::coordinate && int(b.vector.size()) != dim)
    throw py::value_error("vector must have as many numbers as a state");
  if (b.boundary.kind != Boundary::Kind::coordinate && b.boundary.action == Boundary::Action::reflect)
    throw py::value_error("only coordinates are reflected");
  return b;
}

std::unique_ptr<Passage> make_passage(const std::string& model, const std::string& scheme, const Doubles& parameters,
                                      const Doubles& x0, const py::array_t<uint64_t, py::array::c_style>& ids,
                                      const std::vector<py::dict>& boundaries, const std::string& dtype,
                                      const std::string& noise, uint64_t seed, double dt, int threads, int peak_of) {
  const Parameters row = some_rows(model, parameters, 0, 1);
  const Shape shape = find_model(model).shape(row.at(0));
  const size_t n = size_t(ids.size());
  if (x0.ndim() != 2 || x0.shape(0) != shape.planes || size_t(x0.shape(1)) != n)
    throw py::value_error("x0 must have shape (planes, n)");
  if (n == 0 || n >= size_t(1) << 32) throw py::value_error("n must be between 1 and 2**32 - 1");
  std::vector<OwnedBoundary> owned;
  for (const py::dict& d : boundaries) owned.push_back(boundary_of(d, shape.dim));
  if (peak_of >= int(owned.size())) throw py::index_error("peak_of out of range");
  return std::make_unique<Passage>(model, scheme, shape, std::vector<double>(row.at(0), row.at(0) + row.length), n,
                                   x0.data(), ids.data(), std::move(owned), peak_of, precision(dtype), precision(noise),
                                   seed, dt, threads);
}

template <class T> py::array_t<T> copy_of(const T* values, size_t n) {
  return py::array_t<T>(static_cast<py::ssize_t>(n), values);
}

Doubles map_coordinate(const std::string& model, const Doubles& parameters, const std::string& coordinate, bool out,
                       const Doubles& x) {
  const Parameters row = some_rows(model, parameters, 0, 1);
  const Target& t = active_target();
  for (int i = 0; i < t.coordinate_count; ++i) {
    const CoordinateInfo& c = t.coordinates[i];
    if (model != c.model || coordinate != c.coordinate) continue;
    Doubles result(x.size());
    c.physical(row.at(0), out, x.data(), result.mutable_data(), size_t(x.size()));
    return result;
  }
  throw py::value_error("model " + model + " has no coordinate '" + coordinate + "'");
}

py::tuple evaluate(const std::string& model, const Doubles& parameters, const Doubles& x) {
  const Parameters row = some_rows(model, parameters, 0, 1);
  const ModelInfo& info = find_model(model);
  const Shape shape = info.shape(row.at(0));
  if (!info.evaluate) throw py::value_error(model + " has no drift and diffusion: it is a process in discrete time");
  if (x.ndim() != 2 || x.shape(0) != shape.planes) throw py::value_error("x must have shape (planes, n)");
  // an alpha-stable number takes two draws
  const int processes = shape.kind == Draw::stable ? 1 : shape.draws;
  const py::ssize_t planes = shape.planes, n = x.shape(1);
  Doubles drift({planes, n}), noise({py::ssize_t(processes), planes, n});
  info.evaluate(row.at(0), processes, x.data(), size_t(n), drift.mutable_data(), noise.mutable_data());
  return py::make_tuple(drift, noise);
}

}  // namespace

void bind_passage(py::module_& m) {
  m.attr("most_boundaries") = most_boundaries;
  m.attr("mean_overshoot") = mean_overshoot;
  m.def("map_coordinate", &map_coordinate, py::arg("model"), py::arg("parameters"), py::arg("coordinate"), py::arg("out"),
        py::arg("x"));
  m.def("evaluate", &evaluate, py::arg("model"), py::arg("parameters"), py::arg("x"));
  py::class_<Passage>(m, "Passage", py::module_local())
      .def(py::init(&make_passage), py::arg("model"), py::arg("scheme"), py::arg("parameters"), py::arg("x0"),
           py::arg("ids"), py::arg("boundaries"), py::arg("dtype"), py::arg("noise"), py::arg("seed"), py::arg("dt"),
           py::arg("threads"), py::arg("peak_of") = -1)
      .def_property_readonly("n", &Passage::n)
      .def_property_readonly("alive", &Passage::alive)
      .def_property_readonly("step", &Passage::step)
      .def_property_readonly("particle_steps", &Passage::particle_steps)
      .def_property_readonly("substeps", &Passage::substeps)
      .def_property_readonly("floor_hits", &Passage::floor_hits)
      .def(
          "advance",
          [](Passage& p, uint64_t steps) {
            py::gil_scoped_release release;
            p.advance(steps);
          },
          py::arg("steps"))
      .def("retire", &Passage::retire, py::arg("places"), py::arg("side"))
      .def_property_readonly("time", [](const Passage& p) { return copy_of(p.time().data(), p.n()); })
      .def_property_readonly("side", [](const Passage& p) { return copy_of(p.side().data(), p.n()); })
      .def_property_readonly("counts", [](const Passage& p) { return copy_of(p.counts().data(), p.counts().size()); })
      .def_property_readonly("highest",
                             [](const Passage& p) {
                               const std::vector<double> h = p.highest();
                               return copy_of(h.data(), h.size());
                             })
      .def_property_readonly("states",
                             [](const Passage& p) {
                               Doubles out({py::ssize_t(p.planes()), py::ssize_t(p.n())});
                               p.states(out.mutable_data());
                               return out;
                             })
      .def_property_readonly("living",
                             [](const Passage& p) {
                               Doubles out({py::ssize_t(p.planes()), py::ssize_t(p.alive())});
                               p.living(out.mutable_data());
                               return out;
                             })
      .def_property_readonly("slots", [](const Passage& p) { return copy_of(p.slots(), p.alive()); });
}
