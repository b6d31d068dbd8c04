// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/adapters.hpp>
#include <hadr/answer.hpp>
#include <hadr/connection_manager.hpp>
#include <hadr/driver.hpp>
#include <hadr/endpoint.hpp>
#include <hadr/engine.hpp>
#include <hadr/epoch.hpp>
#include <hadr/error.hpp>
#include <hadr/event.hpp>
#include <hadr/expected.hpp>
#include <hadr/ha_adapter.hpp>
#include <hadr/lease.hpp>
#include <hadr/operation.hpp>
#include <hadr/profile.hpp>
#include <hadr/secret.hpp>
#include <hadr/store.hpp>
#include <hadr/time.hpp>
#include <hadr/topology.hpp>
#include <hadr/version.hpp>
#include <hadr/world.hpp>
