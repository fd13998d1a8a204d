namespace Bff.Upstreams.Discovery;

/// <summary>The address of one instance of a service.</summary>
/// <param name="Uri">The address to connect to, with an IP address if a name was resolved; ends with a slash.</param>
/// <param name="Host">
/// Host name for <c>Host</c> and for the certificate, if it is not in <paramref name="Uri"/>; with the port, unless that is the scheme's
/// default.
/// </param>
internal readonly record struct ServiceAddress(Uri Uri, string? Host = null);
