using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Checks;

/// <summary>Compares the operations that a gateway calls with those of a service's OpenAPI document.</summary>
internal static class RestCheck
{
    private static readonly string[] Verbs = ["get", "put", "post", "delete", "options", "head", "patch"];

    // OpenAPI 3 ignores descriptions of the first three (parameter object), and every call has the others.
    private static readonly HashSet<string> OfEveryCall = new(StringComparer.OrdinalIgnoreCase)
    {
        "Accept",
        "Content-Type",
        "Authorization",
        "X-Request-Id",
        "X-Correlation-Id",
        "traceparent",
        "tracestate",
        "Accept-Language",
        "X-User-Id",
        "X-User-Email",
        "X-User-Roles",
        "X-OAuth-Scopes",
        "X-Tenant-Id",
        "X-Client-Id",
        "X-Identity-Token",
    };

    public static IEnumerable<Finding> Run(JsonObject contract, JsonObject document)
    {
        var offered = new ServicePaths(document);
        foreach (var (path, item) in contract["paths"]!.AsObject())
        {
            foreach (var (verb, operation) in item!.AsObject().Where(o => Verbs.Contains(o.Key)))
            {
                foreach (var call in Shape.List(operation!["x-calls"]))
                {
                    string[] endpoints = [.. Shape.List(call["endpoints"]).Select(e => (string)e!)];
                    var findings = new List<Finding>();
                    if (offered.Find(path, verb) is not { } found)
                    {
                        findings.Add(new($"{verb.ToUpperInvariant()} {path} is gone", "needs it", endpoints));
                    }
                    else
                    {
                        new Call(contract, document, operation, call, found, endpoints, findings).Compare();
                    }

                    foreach (var finding in findings)
                    {
                        yield return finding;
                    }
                }
            }
        }
    }

    /// <summary>A call and the operation that it uses.</summary>
    private sealed class Call(
        JsonObject contract,
        JsonObject document,
        JsonNode operation,
        JsonNode call,
        OfferedOperation offered,
        string[] endpoints,
        List<Finding> findings
    )
    {
        private readonly string _name = $"{offered.Verb.ToUpperInvariant()} {offered.Path}";
        private readonly bool _isPassed = (bool?)call["passed"] == true;
        private readonly Comparison _comparison = new(contract, document);

        public void Compare()
        {
            Parameters();
            Body();
            Answers();
        }

        // Where several calls share an operation, each has parts of its own.
        private JsonNode? Mine(string part) => call.AsObject().ContainsKey("responses") ? call[part] : operation[part];

        private void Parameters()
        {
            var sent = Shape.List(Mine("parameters")).ToList();
            foreach (var parameter in sent)
            {
                var (place, name) = ((string)parameter["in"]!, (string)parameter["name"]!);
                var taken = offered.Parameters.FirstOrDefault(p =>
                    (string?)p["in"] == place
                    && (
                        place == "path" ? (string?)p["name"] == offered.PathNames.GetValueOrDefault(name)
                        : place == "header" ? string.Equals((string?)p["name"], name, StringComparison.OrdinalIgnoreCase)
                        : (string?)p["name"] == name
                    )
                );
                var of = $"the {place} parameter {name} of {_name}";
                if (taken is null)
                {
                    // A service may accept a header without describing it.
                    if (place == "query")
                    {
                        findings.Add(new($"{of} is gone", "sends it", endpoints));
                    }

                    continue;
                }

                if ((bool?)taken["required"] == true && (bool?)parameter["required"] != true)
                {
                    findings.Add(new($"{of} is now required", "may leave it out", endpoints));
                }

                _comparison.Sent(
                    "",
                    parameter["schema"],
                    taken["schema"] ?? Shape.Object(taken["content"]).FirstOrDefault().Value?["schema"],
                    (path, what) => findings.Add(new($"{(path.Length == 0 ? "" : path + " of ")}{of} {what}", "sends it", endpoints)),
                    isText: true
                );
                if (
                    place == "query"
                    && (bool?)document[OpenApiFile.IsOfVersion2] != true
                    && Shape.Of(parameter["schema"]!, contract).Types.Contains("array")
                    && taken["schema"] is { } schema
                    && Shape.Of(schema, document).Types.Contains("array")
                    && ((bool?)taken["explode"] ?? (string?)taken["style"] is null or "form") != ((bool?)parameter["explode"] ?? false)
                )
                {
                    findings.Add(
                        new(
                            $"{of} now takes its values {((bool?)parameter["explode"] == true ? "joined by commas" : "one by one")}",
                            "sends it",
                            endpoints
                        )
                    );
                }
            }

            foreach (var taken in offered.Parameters.Where(p => (bool?)p["required"] == true))
            {
                var (place, name) = ((string?)taken["in"], (string?)taken["name"] ?? "");
                if (
                    !_isPassed
                    && place is "query" or "header" or "cookie"
                    && !(place == "header" && OfEveryCall.Contains(name))
                    && !sent.Any(p =>
                        (string?)p["in"] == place
                        && string.Equals(
                            (string?)p["name"],
                            name,
                            place == "header" ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal
                        )
                    )
                )
                {
                    findings.Add(new($"{_name} now needs the {place} parameter {name}", "does not send it", endpoints));
                }
            }
        }

        private void Body()
        {
            var taken = offered.Operation["requestBody"] is { } body ? Shape.Follow(body, document).Target : null;
            var sent = Mine("requestBody")?["content"] as JsonObject;
            if (sent is null)
            {
                if ((bool?)taken?["required"] == true)
                {
                    findings.Add(new($"{_name} now needs a body", "sends none", endpoints));
                }

                return;
            }

            var types = taken?["content"] as JsonObject ?? [];
            if (types.Count == 0)
            {
                findings.Add(new($"the body of {_name} is no longer taken", "sends it", endpoints));
                return;
            }

            // The client may send any of several types, so the service may drop one only if that type is not promised.
            foreach (var (type, media) in sent)
            {
                if (type == "*/*")
                {
                    continue;
                }

                if (MediaRanges.Find(types, type) is not { } same)
                {
                    findings.Add(
                        new(
                            $"the body of {_name} is no longer taken as {type}, but as {string.Join(", ", types.Select(t => t.Key))}",
                            "sends it",
                            endpoints
                        )
                    );
                    continue;
                }

                _comparison.Sent(
                    "",
                    media?["schema"],
                    same["schema"],
                    (path, what) => findings.Add(new($"{Part(path, "the body")} of {_name} {what}", "sends it", endpoints))
                );
            }
        }

        private void Answers()
        {
            var good = GoodAnswers();
            if (good.Count == 0)
            {
                findings.Add(new($"{_name} no longer answers with a status of success", "needs it", endpoints));
                return;
            }

            var read = Mine("responses")!.AsObject();
            foreach (var (status, answer) in good)
            {
                var expected = read["2XX"] ?? read[status] ?? (status is "2XX" or "default" ? read.First().Value : null);
                if (expected is null)
                {
                    findings.Add(
                        new($"{_name} may now answer {status}", $"passes on {string.Join(", ", read.Select(r => r.Key))} alone", endpoints)
                    );
                    continue;
                }

                Content(status, expected["content"] as JsonObject ?? [], answer["content"] as JsonObject ?? []);
            }

            foreach (
                var (status, _) in read.Where(r => r.Key != "2XX" && !good.Any(g => g.Status == r.Key || g.Status is "2XX" or "default"))
            )
            {
                findings.Add(new($"{_name} no longer answers {status}", "passes it on", endpoints));
            }
        }

        private List<(string Status, JsonObject Answer)> GoodAnswers()
        {
            var all = Shape
                .Object(offered.Operation["responses"])
                .Where(r => r.Value is not null)
                .Select(r => (r.Key.ToUpperInvariant(), Shape.Follow(r.Value!, document).Target))
                .ToList();
            var good = all.Where(r => r.Item1.StartsWith('2')).ToList();
            return good.Count > 0 ? good : [.. all.Where(r => r.Item1 == "DEFAULT").Select(r => ("default", r.Target))];
        }

        private void Content(string status, JsonObject read, JsonObject given)
        {
            foreach (var (type, media) in read)
            {
                if (type == "*/*")
                {
                    if (given.Count == 0)
                    {
                        findings.Add(new($"{_name} may now answer {status} without a file", "needs it", endpoints));
                    }

                    continue;
                }

                if (MediaRanges.Find(given, type) is not { } same)
                {
                    findings.Add(
                        new(
                            given.Count == 0
                                ? $"{_name} may now answer {status} without a document"
                                : $"{_name} now answers {status} as {string.Join(", ", given.Select(t => t.Key))}, read as {type}",
                            "needs it",
                            endpoints
                        )
                    );
                    continue;
                }

                if (media?["schema"] is { } schema)
                {
                    _comparison.Read(
                        "",
                        schema,
                        same["schema"],
                        (path, what) =>
                            findings.Add(
                                new($"{Part(path, "the answer")} of {_name} {what}", _isPassed ? "passes it on" : "needs it", endpoints)
                            )
                    );
                }
            }
        }

        private static string Part(string path, string whole) => path.Length == 0 ? whole : path;
    }
}
