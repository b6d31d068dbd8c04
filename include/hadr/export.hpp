// SPDX-License-Identifier: Apache-2.0
#pragma once

// Marks what the shared library exports; everything else is hidden.
#if defined(_WIN32) && defined(HADR_SHARED)
#ifdef HADR_BUILDING
#define HADR_EXPORT __declspec(dllexport)
#else
#define HADR_EXPORT __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define HADR_EXPORT __attribute__((visibility("default")))
#else
#define HADR_EXPORT
#endif
