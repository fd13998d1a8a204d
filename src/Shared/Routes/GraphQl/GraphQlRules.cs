using Bff.Requests;

namespace Bff.Routes.GraphQl;

/// <summary>Rules of a route with <c>Metadata:Protocol: graphql</c>.</summary>
/// <param name="MaxDepth">Maximum levels of nested fields.</param>
/// <param name="MaxAliases">Maximum number of aliases in a request; fragments count wherever they are spread.</param>
/// <param name="Introspection">Whether clients may read the schema.</param>
/// <param name="Allowed">The only operations that clients may send; null allows any.</param>
internal sealed record GraphQlRules(int MaxDepth, int MaxAliases, bool Introspection, PersistedOperations? Allowed)
{
    /// <exception cref="ProblemException">The document is too deep, or introspects although that is off.</exception>
    public void Check(GraphQlDocument document)
    {
        if (document.Depth > MaxDepth)
        {
            throw GraphQlDocument.TooComplex($"The query has {document.Depth} levels. At most {MaxDepth} are accepted.");
        }

        CheckAliases(document.Aliases);
        if (document.Introspects && !Introspection)
        {
            throw new ProblemException(
                new Problem(ProblemCodes.OperationNotAllowed) { Detail = "Introspection is disabled on this endpoint." }
            );
        }
    }

    /// <exception cref="ProblemException">The operations of the request together have too many aliases.</exception>
    public void CheckAliases(long aliases)
    {
        if (aliases > MaxAliases)
        {
            throw GraphQlDocument.TooComplex($"The query has {aliases} aliases. At most {MaxAliases} are accepted.");
        }
    }
}
