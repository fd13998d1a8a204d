using System.Reflection;
using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Declared;

/// <summary>Describes the operations of a service that a host's Refit clients call, as OpenAPI.</summary>
internal static class RestReads
{
    private const string Components = "#/components/schemas/";

    /// <summary>
    /// Returns an OpenAPI <c>paths</c> object. Calls of one operation share its entry; <c>x-calls</c> says what each reads, and where.
    /// </summary>
    public static JsonObject Of(HostReads reads, Promises promises, Schemas schemas, JsonObject components, IReadOnlyList<Type> clients)
    {
        var paths = new JsonObject();
        var calls = clients
            .SelectMany(c => c.GetMethods())
            .Select(ClientCall.Of)
            .OfType<ClientCall>()
            .Where(c => !c.IsGraphQl)
            .SelectMany(c => Made(reads, promises, schemas, components, c))
            .ToList();
        foreach (var path in calls.GroupBy(c => c.Path).OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            paths[path.Key] = new JsonObject(
                path.GroupBy(c => c.Verb)
                    .OrderBy(v => v.Key, StringComparer.Ordinal)
                    .Select(v => KeyValuePair.Create(v.Key, (JsonNode?)Operation([.. v])))
            );
        }

        return paths;
    }

    private static JsonObject Operation(IReadOnlyList<Call> calls)
    {
        var parameters = new JsonArray();
        foreach (var same in calls.SelectMany(c => c.Parameters).GroupBy(p => ((string)p["in"]!, (string)p["name"]!)))
        {
            var parameter = same.First().DeepClone().AsObject();
            parameter["required"] = same.Count() == calls.Count && same.All(p => (bool)p["required"]!);
            if (same.Any(p => !JsonNode.DeepEquals(p["schema"], parameter["schema"])))
            {
                parameter["schema"] = new JsonObject { ["anyOf"] = new JsonArray([.. Distinct(same.Select(p => p["schema"]!))]) };
            }

            parameters.Add(parameter);
        }

        var operation = new JsonObject();
        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (Distinct(calls.Select(c => c.Body).OfType<JsonObject>()) is { Length: > 0 } bodies)
        {
            operation["requestBody"] = bodies.Length == 1 ? bodies[0] : Several(bodies);
        }

        operation["responses"] = new JsonObject(
            calls
                .SelectMany(c => c.Answers)
                .GroupBy(a => a.Key)
                .OrderBy(a => a.Key, StringComparer.Ordinal)
                .Select(a => KeyValuePair.Create(a.Key, (JsonNode?)Answer([.. Distinct(a.Select(c => c.Value!))])))
        );
        operation["x-calls"] = new JsonArray([.. calls.Select(c => Says(c, isAlone: calls.Count == 1))]);
        return operation;
    }

    // The service's single answer must satisfy every call of the operation.
    private static JsonObject Answer(IReadOnlyList<JsonNode> contents)
    {
        var answer = new JsonObject { ["description"] = "What is read." };
        var media = contents.SelectMany(c => c.AsObject()).GroupBy(m => m.Key).ToList();
        if (media.Count > 0)
        {
            answer["content"] = new JsonObject(
                media.Select(m =>
                {
                    var read = Distinct(m.Select(v => v.Value!["schema"]).OfType<JsonNode>());
                    var schema = read.Length == 1 ? read[0] : new JsonObject { ["allOf"] = new JsonArray([.. read]) };
                    return KeyValuePair.Create(
                        m.Key,
                        (JsonNode?)(read.Length == 0 ? new JsonObject() : new JsonObject { ["schema"] = schema })
                    );
                })
            );
        }

        return answer;
    }

    private static JsonObject Several(IReadOnlyList<JsonNode> bodies) =>
        new()
        {
            ["content"] = new JsonObject(
                bodies
                    .SelectMany(b => b["content"]!.AsObject())
                    .GroupBy(m => m.Key)
                    .Select(m =>
                    {
                        var sent = Distinct(m.Select(v => v.Value!["schema"]).OfType<JsonNode>());
                        return KeyValuePair.Create(
                            m.Key,
                            (JsonNode?)
                                new JsonObject
                                {
                                    ["schema"] = sent.Length == 1 ? sent[0] : new JsonObject { ["anyOf"] = new JsonArray([.. sent]) },
                                }
                        );
                    })
            ),
        };

    private static JsonNode[] Distinct(IEnumerable<JsonNode> nodes)
    {
        var found = new List<JsonNode>();
        foreach (var node in nodes.Where(n => !found.Any(f => JsonNode.DeepEquals(f, n))))
        {
            found.Add(node.DeepClone());
        }

        return [.. found];
    }

    /// <summary>
    /// Returns the call itself, and one more for each endpoint that passes its request through, because then the client and the service
    /// agree on what is sent and answered.
    /// </summary>
    private static IEnumerable<Call> Made(HostReads reads, Promises promises, Schemas schemas, JsonObject components, ClientCall call)
    {
        var callers = reads.Callers(call.Method).ToList();
        var passed = callers.Where(c => Passes(reads, c.By)).Select(c => c.Endpoint).Distinct().ToList();
        var asked = callers.Where(c => !Passes(reads, c.By)).Select(c => c.Endpoint.Name).Distinct().Order(StringComparer.Ordinal).ToList();
        var (path, parameters, body) = Asked(schemas, call);
        if (asked.Count > 0 || passed.Count == 0)
        {
            yield return new(call, path, parameters, body, Read(schemas, call), asked, IsPassed: false);
        }

        foreach (var endpoint in passed)
        {
            var promised = promises.Find(endpoint.OperationId);
            var answers = promised is { } p ? Kept(p.Operation, p.Document, components) : new JsonObject { ["2XX"] = new JsonObject() };
            var sent =
                promised is { } q && q.Operation["requestBody"] is JsonObject request ? Copied(request, q.Document, components) : null;
            yield return new(call, path, parameters, sent?.AsObject(), answers, [endpoint.Name], IsPassed: true);
        }
    }

    private static bool Passes(HostReads reads, MethodBase by) =>
        reads.Reach.Body(by).Any(i => i.Operand is MethodBase { Name: "Send", DeclaringType.FullName: "Bff.Routes.PassThrough" });

    // Where several calls share an operation, each has parts of its own.
    private static JsonObject Says(Call call, bool isAlone)
    {
        var says = new JsonObject
        {
            ["method"] = call.Of.Name,
            ["endpoints"] = new JsonArray([.. call.Endpoints.Select(e => JsonValue.Create(e))]),
        };
        if (call.IsPassed)
        {
            says["passed"] = true;
        }

        if (!isAlone)
        {
            says["parameters"] = new JsonArray([.. call.Parameters.Select(p => p.DeepClone())]);
            says["requestBody"] = call.Body?.DeepClone();
            says["responses"] = new JsonObject(call.Answers.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)Answer([a.Value!]))));
        }

        return says;
    }

    private static (string Path, List<JsonObject> Parameters, JsonObject? Body) Asked(Schemas schemas, ClientCall call)
    {
        var (path, query) = call.Path.Split('?', 2) is [var before, var after] ? (before, after) : (call.Path, "");
        var (parameters, body) = (new List<JsonObject>(), (JsonObject?)null);
        foreach (var constant in query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(c => c.Split('=', 2)))
        {
            parameters.Add(Parameter("query", constant[0], true, Constant(constant.Length > 1 ? Uri.UnescapeDataString(constant[1]) : "")));
        }

        foreach (var parameter in call.Method.GetParameters().Where(p => p.ParameterType != typeof(CancellationToken)))
        {
            var alias = (string?)ClientCall.Attribute(parameter, "AliasAs")?.ConstructorArguments[0].Value ?? parameter.Name!;
            var isLeftOut =
                parameter.HasDefaultValue || new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
            if (ClientCall.Attribute(parameter, "Body") is not null)
            {
                body = Body(schemas, call, parameter);
            }
            else if (ClientCall.Attribute(parameter, "Header") is { } header)
            {
                parameters.Add(
                    Parameter(
                        "header",
                        (string)header.ConstructorArguments[0].Value!,
                        !isLeftOut,
                        Schemas.OfParameter(parameter.ParameterType)
                    )
                );
            }
            else if (path.Contains($"{{{alias}}}", StringComparison.Ordinal) || path.Contains($"{{**{alias}}}", StringComparison.Ordinal))
            {
                parameters.Add(Parameter("path", alias, true, Schemas.OfParameter(parameter.ParameterType)));
            }
            else if (
                !parameter.CustomAttributes.Any(a =>
                    a.AttributeType.Name is "HeaderCollectionAttribute" or "PropertyAttribute" or "AuthorizeAttribute"
                )
            )
            {
                parameters.AddRange(Query(parameter, alias, isLeftOut));
            }
        }

        return (path.Replace("{**", "{", StringComparison.Ordinal), parameters, body);
    }

    private static IEnumerable<JsonObject> Query(ParameterInfo parameter, string name, bool isLeftOut)
    {
        var schema = Schemas.OfParameter(parameter.ParameterType);
        var made = Parameter("query", name, !isLeftOut, schema);
        if ((string?)schema["type"] == "array")
        {
            // CollectionFormat.Multi (5) repeats the name for each value; the other formats join the values.
            var format = ClientCall
                .Attribute(parameter, "Query")
                ?.ConstructorArguments.FirstOrDefault(a => a.ArgumentType.Name == "CollectionFormat");
            made["explode"] = format is { Value: 5 };
        }

        yield return made;
    }

    private static JsonObject Parameter(string place, string name, bool isRequired, JsonObject schema) =>
        new()
        {
            ["name"] = name,
            ["in"] = place,
            ["required"] = isRequired,
            ["schema"] = schema,
        };

    private static JsonObject Constant(string value) =>
        bool.TryParse(value, out var truth) ? new() { ["type"] = "boolean", ["const"] = truth }
        : long.TryParse(value, out var number) ? new() { ["type"] = "integer", ["const"] = number }
        : new() { ["type"] = "string", ["const"] = value };

    // A body that is already written, or arrives from the client, may be anything.
    private static JsonObject Body(Schemas schemas, ClientCall call, ParameterInfo parameter) =>
        parameter.ParameterType.FullName switch
        {
            "Bff.Upstreams.UploadedFile" => Content("*/*", null),
            "Bff.Upstreams.WrittenJson" => Content("application/json", []),
            _ => Content("application/json", schemas.Of(parameter.ParameterType, call.Method.DeclaringType!.Namespace, sent: true)),
        };

    private static JsonObject Content(string type, JsonObject? schema) =>
        new() { ["content"] = new JsonObject { [type] = schema is null ? [] : new JsonObject { ["schema"] = schema } } };

    /// <summary>Returns what is read of an answer: statuses, and the content of each.</summary>
    private static JsonObject Read(Schemas schemas, ClientCall call) =>
        new()
        {
            ["2XX"] = call.Answer.FullName switch
            {
                "Bff.Upstreams.NoContent" => new JsonObject(),
                "Bff.Upstreams.UpstreamFile" => new JsonObject { ["*/*"] = new JsonObject() },
                _ => new JsonObject
                {
                    ["application/json"] = new JsonObject
                    {
                        ["schema"] = schemas.Of(call.Answer, call.Method.DeclaringType!.Namespace, sent: false),
                    },
                },
            },
        };

    /// <summary>Returns the successful answers of an operation that the host promises.</summary>
    private static JsonObject Kept(JsonObject operation, JsonObject document, JsonObject components) =>
        new(
            operation["responses"]!
                .AsObject()
                .Where(r => r.Key[0] == '2')
                .Select(r => KeyValuePair.Create(r.Key, Copied(r.Value!["content"] ?? new JsonObject(), document, components)))
        );

    /// <summary>Copies a part of the host's own document without its descriptions, and renames the schemas it refers to.</summary>
    private static JsonNode? Copied(JsonNode? piece, JsonObject document, JsonObject components, bool isMembers = false) =>
        piece switch
        {
            JsonArray list => new JsonArray([.. list.Select(i => Copied(i, document, components))]),
            JsonObject members => new JsonObject(
                members
                    .Where(m => isMembers || m.Key is not ("description" or "title" or "example" or "examples"))
                    .Select(m =>
                        KeyValuePair.Create(
                            m.Key,
                            m.Key == "$ref" && !isMembers
                                ? Renamed((string)m.Value!, document, components)
                                : Copied(m.Value, document, components, isMembers: m.Key == "properties" && !isMembers)
                        )
                    )
            ),
            _ => piece?.DeepClone(),
        };

    private static JsonNode Renamed(string reference, JsonObject document, JsonObject components)
    {
        var name = reference[Components.Length..];
        var own = "Promised." + name;
        if (!components.ContainsKey(own))
        {
            components[own] = null; // It may contain itself.
            components[own] = Copied(document["components"]!["schemas"]![name], document, components);
        }

        return Components + own;
    }

    private sealed record Call(
        ClientCall Of,
        string Path,
        IReadOnlyList<JsonObject> Parameters,
        JsonObject? Body,
        JsonObject Answers,
        IReadOnlyList<string> Endpoints,
        bool IsPassed
    )
    {
        public string Verb => Of.Verb;
    }
}
