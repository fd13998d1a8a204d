namespace Bff.UpstreamContracts;

/// <summary>A break, in words.</summary>
/// <param name="Text">The difference, such as <c>totalAmount of GET /orders/{id} may now be absent</c>.</param>
/// <param name="Need">The gateway's use of it, such as <c>needs it</c>.</param>
/// <param name="Endpoints">The gateway's endpoints that are concerned.</param>
internal sealed record Finding(string Text, string Need, IReadOnlyCollection<string> Endpoints);

/// <summary>The tool cannot work with the command line or with a document: exit code 2.</summary>
internal sealed class WrongInputException(string message) : Exception(message);
