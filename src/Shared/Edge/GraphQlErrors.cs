namespace Bff.Edge;

/// <summary>
/// Metadata: clients of the endpoint speak GraphQL. A problem document of the gateway then has <c>errors</c> too, as a GraphQL response has
/// them (GraphQL specification, section 7.1.2), so that such a client shows what went wrong.
/// </summary>
internal sealed record GraphQlErrors;
