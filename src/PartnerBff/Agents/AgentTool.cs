using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Bff.Requests;
using ModelContextProtocol.Protocol;

namespace PartnerBff.Agents;

/// <summary>Position of a tool's argument in the operation's request.</summary>
internal enum ArgumentPlace
{
    Path,
    Query,
    Key,
    Body,
}

/// <summary>An argument of a tool.</summary>
/// <param name="Name">The operation's name of the parameter, or of the body's member.</param>
/// <param name="Place">Position in the request.</param>
internal sealed record AgentArgument(string Name, ArgumentPlace Place);

/// <summary>An operation of the API as a tool: its description for agents, and the conversion of its arguments into a request.</summary>
/// <param name="Told">Name, description, schemas and hints.</param>
/// <param name="Endpoint">The endpoint that serves the operation.</param>
/// <param name="Method">The operation's method.</param>
/// <param name="Path">The operation's path, with parameters in braces.</param>
/// <param name="Arguments">The arguments by the names that agents use.</param>
/// <param name="HasBody">Whether the request has a body even without an argument for it.</param>
internal sealed record AgentTool(
    Tool Told,
    RouteEndpoint Endpoint,
    string Method,
    string Path,
    IReadOnlyDictionary<string, AgentArgument> Arguments,
    bool HasBody
)
{
    /// <summary>
    /// Builds the operation's request; the operation itself validates the values. An unknown argument is refused, because nothing would
    /// show that it was ignored.
    /// </summary>
    /// <param name="given">The call's arguments; undefined or null for none.</param>
    /// <param name="key">The <c>Idempotency-Key</c> if the arguments have none.</param>
    /// <param name="request">The request; null if there is a problem.</param>
    /// <param name="problem">Names each unusable argument; null if there is a request.</param>
    public bool TryMake(
        JsonElement given,
        string? key,
        [NotNullWhen(true)] out InnerRequest? request,
        [NotNullWhen(false)] out Problem? problem
    )
    {
        var mistakes = new Dictionary<string, string[]>();
        var (path, query) = (Path, new StringBuilder());
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            foreach (var argument in given.ValueKind == JsonValueKind.Object ? given.EnumerateObject() : default)
            {
                if (!Arguments.TryGetValue(argument.Name, out var known))
                {
                    mistakes[argument.Name] = ["Is not an argument of this tool. Leave it out."];
                }
                else if (known.Place == ArgumentPlace.Body)
                {
                    json.WritePropertyName(known.Name);
                    argument.Value.WriteTo(json);
                }
                else if (argument.Value.ValueKind == JsonValueKind.Null)
                {
                    // Null counts as absent.
                }
                else if (Text(argument.Value) is not { Length: > 0 } text)
                {
                    mistakes[argument.Name] = ["Must be a number or a string that is not empty."];
                }
                else if (known.Place == ArgumentPlace.Path)
                {
                    path = path.Replace('{' + known.Name + '}', Uri.EscapeDataString(text), StringComparison.Ordinal);
                }
                else if (known.Place == ArgumentPlace.Key)
                {
                    key = text;
                }
                else
                {
                    query.Append(query.Length == 0 ? '?' : '&').Append(known.Name).Append('=').Append(Uri.EscapeDataString(text));
                }
            }

            json.WriteEndObject();
        }

        foreach (var (name, argument) in Arguments)
        {
            if (argument.Place == ArgumentPlace.Path && path.Contains('{' + argument.Name + '}', StringComparison.Ordinal))
            {
                mistakes.TryAdd(name, ["Is required."]);
            }
        }

        problem = mistakes.Count > 0 ? new(ProblemCodes.ValidationFailed) { Errors = mistakes } : null;
        request = problem is null
            ? new(Method, path + query) { Body = HasBody || body.Length > 2 ? body.ToArray() : null, Key = TakesKey ? key : null }
            : null;
        return problem is null;
    }

    /// <summary>The scope that a caller needs; null for none.</summary>
    public string? Scope { get; } =
        Endpoint.Metadata.GetOrderedMetadata<CallerRule>().Select(r => r.Scope).FirstOrDefault(s => s is not null);

    /// <summary>The request that stands in for a call whose arguments are unusable, so that it can be refused.</summary>
    public InnerRequest Unmade => new(Method, Path.Split('{')[0]);

    private bool TakesKey { get; } = Arguments.Values.Any(a => a.Place == ArgumentPlace.Key);

    private static string? Text(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => null,
        };
}
