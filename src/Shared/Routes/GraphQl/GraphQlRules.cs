using Bff.Requests;

namespace Bff.Routes.GraphQl;

/// <summary>What a route with <c>Metadata:Protocol: graphql</c> lets through.</summary>
/// <param name="MaxDepth">Levels of fields.</param>
/// <param name="MaxAliases">Of a request, fragments counted wherever they are spread.</param>
/// <param name="Introspection">Whether the schema may be read.</param>
/// <param name="Allowed">The operations that alone may be sent; null: any.</param>
internal sealed record GraphQlRules(int MaxDepth, int MaxAliases, bool Introspection, PersistedOperations? Allowed)
{
    /// <exception cref="ProblemException">The document is too deep, or introspects where that is off.</exception>
    public void Check(GraphQlDocument document)
    {
        if (document.Depth > MaxDepth)
        {
            throw GraphQlDocument.TooComplex($"The query has {document.Depth} levels, at most {MaxDepth} are accepted.");
        }

        CheckAliases(document.Aliases);
        if (document.Introspects && !Introspection)
        {
            throw new ProblemException(new Problem(ProblemCodes.OperationNotAllowed) { Detail = "Introspection is off here." });
        }
    }

    /// <exception cref="ProblemException">Together the operations of a request have too many.</exception>
    public void CheckAliases(long aliases)
    {
        if (aliases > MaxAliases)
        {
            throw GraphQlDocument.TooComplex($"The query has {aliases} aliases, at most {MaxAliases} are accepted.");
        }
    }
}
