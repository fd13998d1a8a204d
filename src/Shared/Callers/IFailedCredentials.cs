using System.Net;

namespace Bff.Callers;

/// <summary>Counts bad credentials by client address and reports when an address has sent too many.</summary>
internal interface IFailedCredentials
{
    /// <summary>Whether any address has to wait.</summary>
    bool IsAnyWaiting { get; }

    /// <summary>
    /// Returns how long this address has to wait until credentials that are not remembered as good are checked again; null when it need not
    /// wait.
    /// </summary>
    TimeSpan? Wait(IPAddress? address);

    /// <summary>Counts a bad credential from this address.</summary>
    void Count(IPAddress? address);
}
