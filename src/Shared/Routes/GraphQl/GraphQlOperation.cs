using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.Requests;

namespace Bff.Routes.GraphQl;

/// <summary>One operation as its client sends it: by its document, by its id in the list of allowed operations, or by both.</summary>
/// <param name="Text">The document.</param>
/// <param name="Id">The id, or the hash of an automatic persisted query.</param>
/// <param name="IsHash">Whether <paramref name="Id"/> is a hash.</param>
internal readonly record struct GraphQlOperation(string? Text, string? Id, bool IsHash)
{
    /// <summary>
    /// Members of the protocol. A name that differs only in case from one of them would mean that member to some services and nothing to
    /// others.
    /// </summary>
    public static readonly string[] Members = ["query", "operationName", "variables", "extensions", "documentId", "id"];

    /// <summary>Checks the operation; returns its document's facts, its cost, and the text if the client sent none.</summary>
    /// <exception cref="ProblemException">The operation is not allowed.</exception>
    public (GraphQlDocument Document, int Cost, string? Missing) Resolve(GraphQlRules rules)
    {
        var known = Id is null ? null : rules.Allowed?.ById(Id);
        if (Text is null)
        {
            return known is null
                ? throw (
                    Id is null
                        ? GraphQlDocument.Malformed("The request has no query.")
                        : new ProblemException(new Problem(ProblemCodes.PersistedQueryNotFound))
                )
                : (known.Document, known.Cost, known.Text);
        }

        if (Id is not null && !Agree(known))
        {
            throw GraphQlDocument.Malformed("The document does not match its id or hash.");
        }

        if (rules.Allowed is not { } allowed)
        {
            var document = GraphQlDocument.Read(Text);
            rules.Check(document);
            return (document, 1, null);
        }

        return allowed.ByText(Text) is { } listed
            ? (listed.Document, listed.Cost, null)
            : throw new ProblemException(
                new Problem(ProblemCodes.OperationNotAllowed)
                {
                    Detail = "This endpoint accepts only the operations of its list. This document is not one of them.",
                }
            );
    }

    /// <summary>Reads the members of one operation.</summary>
    /// <exception cref="ProblemException">The members violate the protocol.</exception>
    public static GraphQlOperation Read(JsonElement operation)
    {
        if (operation.ValueKind != JsonValueKind.Object)
        {
            throw GraphQlDocument.Malformed("A GraphQL request must be a JSON object or an array of JSON objects.");
        }

        string? text = null,
            id = null,
            hash = null;
        foreach (var member in operation.EnumerateObject())
        {
            switch (NameOf(member.Name))
            {
                case "query":
                    text = TextOf(member);
                    break;
                case "documentId" or "id":
                    id = id is null ? TextOf(member) : throw GraphQlDocument.Malformed("The request has two ids.");
                    break;
                case "operationName":
                    TextOf(member);
                    break;
                case "extensions":
                    hash = HashOf(MapOf(member));
                    break;
                case "variables":
                    MapOf(member);
                    break;
                default:
                    break;
            }
        }

        return Of(text, id, hash);
    }

    /// <exception cref="ProblemException">Both id and hash are present.</exception>
    public static GraphQlOperation Of(string? text, string? id, string? hash) =>
        id is not null && hash is not null
            ? throw GraphQlDocument.Malformed("The request has both an id and a hash. Send one of them.")
            : new(string.IsNullOrEmpty(text) ? null : text, id ?? hash, hash is not null);

    /// <summary>Returns the member's name in the protocol's spelling; other names unchanged.</summary>
    /// <exception cref="ProblemException">The name differs only in case from a member.</exception>
    public static string NameOf(string name)
    {
        foreach (var known in Members)
        {
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return known == name ? known : throw GraphQlDocument.Malformed($"The member must be spelt {known}.");
            }
        }

        return name;
    }

    /// <summary>Returns the hash of an automatic persisted query; null if there is none.</summary>
    public static string? HashOf(JsonElement extensions) =>
        extensions.ValueKind == JsonValueKind.Object
        && extensions.TryGetProperty("persistedQuery", out var persisted)
        && persisted.ValueKind != JsonValueKind.Null
            ? persisted.ValueKind == JsonValueKind.Object
            && persisted.TryGetProperty("sha256Hash", out var hash)
            && hash.ValueKind == JsonValueKind.String
                ? hash.GetString()
                : throw GraphQlDocument.Malformed("The member persistedQuery must have a sha256Hash.")
            : null;

    /// <summary>Whether id and text name the same document; a service may use either.</summary>
    private bool Agree(PersistedOperation? known) =>
        known?.Text == Text
        || (
            IsHash
            && Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text!))).Equals(Id, StringComparison.OrdinalIgnoreCase)
        );

    private static string? TextOf(JsonProperty member) =>
        member.Value.ValueKind switch
        {
            JsonValueKind.String => member.Value.GetString(),
            JsonValueKind.Null => null,
            _ => throw GraphQlDocument.Malformed($"The member {member.Name} must be a string."),
        };

    private static JsonElement MapOf(JsonProperty member) =>
        member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Null
            ? member.Value
            : throw GraphQlDocument.Malformed($"The member {member.Name} must be an object.");
}
