using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.Requests;

namespace Bff.Routes.GraphQl;

/// <summary>One operation as its client sends it: by its document, by its id in the list of allowed ones, or by both.</summary>
/// <param name="Text">The document.</param>
/// <param name="Id">The id, or the hash of an automatic persisted query.</param>
/// <param name="IsHash">Which of them it is.</param>
internal readonly record struct GraphQlOperation(string? Text, string? Id, bool IsHash)
{
    /// <summary>
    /// Members that the protocol knows; a name that differs from one of them in case alone would mean it to some services and nothing to
    /// others.
    /// </summary>
    public static readonly string[] Members = ["query", "operationName", "variables", "extensions", "documentId", "id"];

    /// <summary>What may be sent on: the document's facts and cost, and its text where the client has sent none.</summary>
    /// <exception cref="ProblemException">It may not.</exception>
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
            throw GraphQlDocument.Malformed("The request names one document and sends another.");
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
                    Detail = "Only the operations of a list are taken here, and this document is none of them.",
                }
            );
    }

    /// <summary>Reads the members of one operation.</summary>
    /// <exception cref="ProblemException">They are not what the protocol says.</exception>
    public static GraphQlOperation Read(JsonElement operation)
    {
        if (operation.ValueKind != JsonValueKind.Object)
        {
            throw GraphQlDocument.Malformed("A GraphQL request is a JSON object, or an array of them.");
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

    /// <exception cref="ProblemException">Id and hash are there both.</exception>
    public static GraphQlOperation Of(string? text, string? id, string? hash) =>
        id is not null && hash is not null
            ? throw GraphQlDocument.Malformed("The request has an id and a hash.")
            : new(string.IsNullOrEmpty(text) ? null : text, id ?? hash, hash is not null);

    /// <summary>The member as the protocol spells it, or any other name.</summary>
    /// <exception cref="ProblemException">It differs in case alone.</exception>
    public static string NameOf(string name)
    {
        foreach (var known in Members)
        {
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return known == name ? known : throw GraphQlDocument.Malformed($"The member is spelt {known}.");
            }
        }

        return name;
    }

    /// <summary>The hash of an automatic persisted query; null where there is none.</summary>
    public static string? HashOf(JsonElement extensions) =>
        extensions.ValueKind == JsonValueKind.Object
        && extensions.TryGetProperty("persistedQuery", out var persisted)
        && persisted.ValueKind != JsonValueKind.Null
            ? persisted.ValueKind == JsonValueKind.Object
            && persisted.TryGetProperty("sha256Hash", out var hash)
            && hash.ValueKind == JsonValueKind.String
                ? hash.GetString()
                : throw GraphQlDocument.Malformed("The persistedQuery of a request has a sha256Hash.")
            : null;

    /// <summary>A service may go by either.</summary>
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
            _ => throw GraphQlDocument.Malformed($"The member {member.Name} is a string."),
        };

    private static JsonElement MapOf(JsonProperty member) =>
        member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Null
            ? member.Value
            : throw GraphQlDocument.Malformed($"The member {member.Name} is an object.");
}
