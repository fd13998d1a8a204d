namespace Bff.UpstreamContracts;

/// <summary>A break, in words.</summary>
/// <param name="Text">What is different, such as <c>totalAmount of GET /orders/{id} may now be absent</c>.</param>
/// <param name="Need">What the gateway does with it, such as <c>needs it</c>.</param>
/// <param name="Endpoints">Where in the gateway.</param>
internal sealed record Finding(string Text, string Need, IReadOnlyCollection<string> Endpoints);

/// <summary>A call or a document that the tool cannot work with: exit code 2.</summary>
internal sealed class WrongInputException(string message) : Exception(message);
