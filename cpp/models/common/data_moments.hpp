// Parameters that every model of a network trained by SGD has: temperature, weight decay, moments of the data.
#pragma once

#include "../model.hpp"

ESCAPADE_BEGIN

constexpr Parameter temperature_parameter = nonnegative("T", 0.1, "time", "temperature, learning rate over batch size");
constexpr Parameter decay_parameter = nonnegative("gamma", 0.0, "1/time", "weight decay");
constexpr Parameter beta1_parameter = positive("beta1", 1.0, "x^2", "E x^2");
constexpr Parameter beta2_parameter = real("beta2", 1.0, "x y", "E x y");
constexpr Parameter alpha1_parameter = nonnegative("alpha1", 2.0, "x^4", "Var x^2");
constexpr Parameter alpha2_parameter = real("alpha2", 2.0, "x^3 y", "Cov(x^2, x y)");
constexpr Parameter alpha3_parameter = nonnegative("alpha3", 3.0, "x^2 y^2", "Var x y");
constexpr Parameter reading_parameter =
    choice("reading", 0, 1, "0: Ito, what SGD does; 1: the same equation read in Stratonovich's sense");

ESCAPADE_END
