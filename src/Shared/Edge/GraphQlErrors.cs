namespace Bff.Edge;

/// <summary>
/// Metadata: clients of the endpoint use GraphQL. The gateway's problem documents then also have <c>errors</c>, like a GraphQL response
/// (GraphQL specification, section 7.1.2), so that such a client can show what went wrong.
/// </summary>
internal sealed record GraphQlErrors;
